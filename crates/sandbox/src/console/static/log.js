// The log: each request as it arrives, and what was wrong with it.

import { api, clock, duration, el, pretty, status, venueName } from './dom.js';

const MOST_ROWS = 1000;
const entries = new Map();
const filter = { text: '', venue: '', problems: false, paused: false };
let view, body, detail, split, empty, selected = null, waiting = 0;

/** Builds the view, and follows the log from now on. */
export function startLog(section) {
  view = section;
  body = el('tbody');
  empty = el('p.note', {}, 'No requests yet. Point a client at this sandbox, or use "Try it" in the reference.');
  const table = el('table', {}, el('caption.skip', {}, 'Requests, the newest first'),
    el('thead', {}, el('tr', {}, ['Time', 'Venue', 'Operation', 'Credential', 'Verdict', 'Took']
      .map((name) => el(name === 'Took' ? 'th.num' : 'th', { scope: 'col' }, name)))), body);
  detail = el('aside.panel.detail', { hidden: true, 'aria-label': 'Request', tabindex: '-1' });
  split = el('div.split', {}, el('div.panel.rows', {}, table, empty), detail);
  section.append(toolbar(), split);
  follow();
}

function toolbar() {
  const venues = el('select', { onchange: (event) => { filter.venue = event.target.value; refilter(); } },
    el('option', { value: '' }, 'All venues'));
  api('venues').then((all) => venues.append(...all.map(({ venue }) => el('option', { value: venue }, venueName(venue)))));
  return el('div.toolbar', {},
    el('label', {}, 'Search', el('input', {
      type: 'search', placeholder: 'Operation, path, credential, error',
      oninput: (event) => { filter.text = event.target.value.toLowerCase(); refilter(); },
    })),
    el('label', {}, 'Venue', venues),
    el('label.inline', {}, el('input', {
      type: 'checkbox', onchange: (event) => { filter.problems = event.target.checked; refilter(); },
    }), 'Problems only'),
    el('label.inline', {}, el('input', {
      type: 'checkbox', onchange: (event) => { filter.paused = event.target.checked; if (!filter.paused) refilter(); },
    }), 'Pause'),
    el('button', { type: 'button', onclick: () => { entries.clear(); close(); refilter(); } }, 'Clear'));
}

function follow() {
  const source = new EventSource('api/events');
  source.addEventListener('entry', (event) => {
    const entry = JSON.parse(event.data);
    entries.set(entry.id, entry);
    if (entries.size > MOST_ROWS) entries.delete(entries.keys().next().value);
    if (!filter.paused) place(entry);
    if (selected === entry.id) open(entry.id);
  });
  source.addEventListener('open', () => status(''));
  source.addEventListener('error', () => status('The connection to the sandbox was lost. Trying again.', true));
}

const isProblem = (entry) => !['accepted', 'pending', 'received'].includes(entry.verdict) || entry.fault !== null;

function matches(entry) {
  if (filter.venue && entry.venue !== filter.venue) return false;
  if (filter.problems && !isProblem(entry)) return false;
  const text = [entry.title, entry.path, entry.credential, entry.error, entry.verdict, entry.method,
    ...entry.mistakes.map((mistake) => mistake.message)].join(' ').toLowerCase();
  return text.includes(filter.text);
}

function refilter() {
  body.replaceChildren();
  for (const entry of entries.values()) place(entry, false);
}

/** Puts an entry where it belongs: a new one at the top. */
function place(entry, isNew = true) {
  const known = body.querySelector(`tr[data-id="${entry.id}"]`);
  if (!matches(entry)) {
    known?.remove();
  } else if (known) {
    known.replaceWith(row(entry));
  } else {
    const made = row(entry);
    if (isNew) made.classList.add('new');
    body.prepend(made);
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
  }
  empty.hidden = body.rows.length > 0;
  empty.textContent = entries.size ? 'No request matches the filter.' : empty.textContent;
}

export function verdictPill(entry) {
  const kinds = { accepted: 'ok', received: 'info', pending: '', refused: 'bad', rejected: 'warn', 'rate limited': 'warn' };
  const kind = kinds[entry.verdict] ?? 'bad';
  const code = entry.status ? entry.status + ' ' : '';
  return el('span.pill' + (kind ? '.' + kind : ''), {}, code + entry.verdict);
}

function row(entry) {
  const name = entry.title;
  const wrong = entry.mistakes.length
    ? el('div.why', { title: entry.mistakes[0].message }, 'Wrong: ' + [...new Set(entry.mistakes.map((one) => one.part))].join(', '))
    : null;
  return el('tr', {
    'data-id': String(entry.id), 'aria-selected': String(selected === entry.id), onclick: () => open(entry.id),
  },
  el('td.mono', {}, clock(entry.time)),
  el('td', {}, venueName(entry.venue)),
  el('td', {}, el('button.row', { type: 'button', title: `${entry.method} ${entry.path}` }, name), wrong),
  el('td.mono', { title: entry.credential ?? '' }, entry.credential ?? el('span.muted', {}, 'none')),
  el('td', {}, verdictPill(entry), ' ', entry.fault ? el('span.pill.warn', {}, 'fault: ' + entry.fault) : null, ' ',
    entry.example ? el('span.pill', { title: 'The response is an example generated from the spec' }, 'example') : null),
  el('td.num', {}, duration(entry.micros)));
}

function close() {
  selected = null;
  detail.hidden = true;
  split.classList.remove('open');
  body.querySelector('tr[aria-selected="true"]')?.setAttribute('aria-selected', 'false');
}

/** Opens the details of a request. */
async function open(id) {
  const isOther = selected !== id;
  selected = id;
  for (const one of body.rows) one.setAttribute('aria-selected', String(one.dataset.id === String(id)));
  const turn = ++waiting;
  const entry = await api('log/' + id);
  if (turn !== waiting) return;
  detail.replaceChildren(...details(entry));
  detail.hidden = false;
  split.classList.add('open');
  if (isOther) detail.scrollTop = 0;
}

function details(entry) {
  const name = entry.title;
  const link = entry.operation
    ? el('a', { href: `#reference/${entry.venue}/${encodeURIComponent(entry.operation)}` }, name) : name;
  const query = entry.query ? '?' + entry.query : '';
  return [
    el('div.top', {}, el('h2', {}, link),
      el('button.quiet', { type: 'button', onclick: close, 'aria-label': 'Close the details' }, 'Close')),
    el('p.mono', {}, `${entry.method} ${entry.path}${query}`),
    el('dl', {},
      el('dt', {}, 'Venue'), el('dd', {}, `${venueName(entry.venue)}, over ${entry.transport}`),
      el('dt', {}, 'Credential'), el('dd.mono', {}, entry.credential ?? 'none'),
      el('dt', {}, 'Verdict'), el('dd', {}, verdictPill(entry), entry.error ? ' ' + entry.error : ''),
      entry.fault ? [el('dt', {}, 'Injected fault'), el('dd.mono', {}, JSON.stringify(entry.fault_rule))] : null),
    findings(entry),
    entry.signature ? signature(entry.signature) : null,
    message('Request', entry.request), message('Response', entry.response),
  ].filter(Boolean);
}

function findings(entry) {
  const list = entry.mistakes.map((one) => el('p.finding', {}, el('b', {}, one.part + ': '), one.message + '.'));
  if (entry.signature?.valid && !list.length) {
    list.push(el('p.finding.good', {}, el('b', {}, 'The signature is valid.')));
  }
  return el('div', { role: 'group', 'aria-label': 'Findings' }, list);
}

function signature(report) {
  const rows = report.parts.map((part) => el('tr', {},
    el('td', {}, part.name),
    el('td.mono', {}, part.signed === undefined ? visible(part.expected) : el('mark.expected', {}, visible(part.expected))),
    el('td.mono', {}, part.signed === undefined ? '' : el('mark', {}, visible(part.signed)))));
  return el('div', {},
    el('h3', {}, 'Signature'),
    el('p.small.muted', {}, `${report.algorithm}, written in ${report.encoding}.`),
    el('div.scroll', {}, el('table', {}, el('thead', {}, el('tr', {},
      el('th', { scope: 'col' }, 'Part'), el('th', { scope: 'col' }, 'Expected'), el('th', { scope: 'col' }, 'Signed instead'))),
    el('tbody', {}, rows))),
    el('h3', {}, 'Text to sign'),
    el('pre', {}, visible(report.expected_text)),
    report.signed_text === undefined ? null : [el('h3', {}, 'Text that was signed'), el('pre', {}, visible(report.signed_text))]);
}

/** Shows line feeds, which are part of what is signed. */
function visible(text) {
  if (text === '') return '(empty)';
  return text.replaceAll('\n', '\\n\n').replace(/\n$/, '');
}

function message(title, shown) {
  if (!shown) return null;
  const headers = shown.headers.map(([name, value]) => `${name}: ${value}`).join('\n');
  return el('div', {}, el('h3', {}, title),
    el('details', {}, el('summary', {}, `${shown.headers.length} headers`), el('pre', {}, headers)),
    shown.body ? el('pre', {}, pretty(shown.body)) : el('p.muted.small', {}, 'No body.'));
}
