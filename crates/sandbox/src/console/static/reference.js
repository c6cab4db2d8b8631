// The reference: every operation of every venue, searchable.

import { el, prose, venueName } from './dom.js';
import { article } from './operation.js';
import { operationsOf } from './schema.js';

const MOST_HITS = 1500;
let all = null, shown = null, loading = null, tools = { base: () => '' };

/** Says where documents come from, and what the sandbox adds. Without it, the page is a static one. */
export function useTools(given) {
  tools = { ...tools, ...given };
}

/** Opens the reference at an operation, given as venue and id. */
export async function openReference(section, [venue, ...id]) {
  if (!shown) {
    shown = build(section);
    shown.detail.append(el('p.note', {}, 'Loading the specs.'));
  }
  loading ??= tools.load().then((documents) => {
    all = documents.flatMap(([name, document]) => operationsOf(name, document));
    shown.venues.append(...documents.map(([name]) => el('option', { value: name }, venueName(name))));
    search();
  });
  await loading;
  const wanted = id.join('/');
  const operation = all.find((one) => one.venue === venue && (one.id === wanted || one.name === wanted));
  if (operation) await select(operation);
  else if (!shown.detail.querySelector('article')) overview();
}

function build(section) {
  const input = el('input', {
    type: 'search', placeholder: 'Search operations, paths, fields', 'aria-label': 'Search operations', oninput: search,
    onkeydown: (event) => { if (event.key === 'ArrowDown') { event.preventDefault(); move(list, 1); } },
  });
  const venues = el('select', { 'aria-label': 'Venue', onchange: search }, el('option', { value: '' }, 'All venues'));
  const count = el('p.muted.small', { role: 'status', 'aria-live': 'polite', style: undefined });
  const list = el('ul', {
    onkeydown: (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) { event.preventDefault(); move(list, step, input); }
    },
  });
  const detail = el('div');
  section.append(el('div.reference', {},
    el('nav.panel.list', { 'aria-label': 'Operations' }, el('div.find', {}, input, venues, count), list), detail));
  return { input, venues, count, list, detail };
}

/** Moves the focus along the list. */
function move(list, step, before = null) {
  const links = [...list.querySelectorAll('a')];
  const next = links.indexOf(document.activeElement) + step;
  if (next < 0 && before) before.focus();
  else links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
}

function search() {
  if (!all) return;
  const words = shown.input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const venue = shown.venues.value;
  const rank = (one) => {
    const name = `${one.name} ${one.id}`.toLowerCase();
    const text = `${name} ${one.method} ${one.path} ${one.summary} ${one.tag} ${one.venue} ${one.scope ?? ''}`.toLowerCase();
    if (words.every((word) => name.includes(word))) return 2;
    if (words.every((word) => text.includes(word))) return 1;
    return words.length && words.every((word) => text.includes(word) || fieldsOf(one).includes(word)) ? 0.5 : 0;
  };
  const hits = all.filter((one) => !venue || one.venue === venue)
    .map((one) => [words.length ? rank(one) : 1, one]).filter(([score]) => score > 0);
  if (words.length) hits.sort(([one], [other]) => other - one);
  shown.count.textContent = hits.length === 1 ? '1 operation' : `${hits.length} operations`;
  const items = [];
  let group = null;
  for (const [, one] of hits.slice(0, MOST_HITS)) {
    const name = venueName(one.venue) + (one.tag ? ' · ' + one.tag : '');
    if (!words.length && name !== group) items.push(el('li.group', {}, group = name));
    items.push(el('li', {}, el('a', {
      href: `#reference/${one.venue}/${encodeURIComponent(one.id)}`, 'data-key': one.venue + '/' + one.id,
    }, one.name, el('span.sub', {}, words.length ? `${venueName(one.venue)} · ${one.summary}` : one.summary))));
  }
  if (hits.length > MOST_HITS) items.push(el('li.group', {}, `${hits.length - MOST_HITS} more: narrow the search`));
  shown.list.replaceChildren(...items);
  markCurrent();
}

const fieldNames = new Map();

/** The names of the fields of an operation, as text to search in. */
function fieldsOf(operation) {
  if (!fieldNames.has(operation)) {
    const names = operation.parameters.map((one) => one.name);
    const body = operation.body?.$ref ? operation.document.components.schemas[operation.body.$ref.split('/').pop()] : operation.body;
    fieldNames.set(operation, [...names, ...Object.keys(body?.properties ?? {})].join(' ').toLowerCase());
  }
  return fieldNames.get(operation);
}

let current = null;

function markCurrent() {
  for (const link of shown.list.querySelectorAll('a')) {
    if (link.dataset.key === current) {
      link.setAttribute('aria-current', 'true');
      link.scrollIntoView({ block: 'nearest' });
    } else {
      link.removeAttribute('aria-current');
    }
  }
}

async function select(operation) {
  current = operation.venue + '/' + operation.id;
  markCurrent();
  const more = tools.extras ? await tools.extras(operation) : {};
  if (current !== operation.venue + '/' + operation.id) return;
  shown.detail.replaceChildren(article(operation, { ...tools, ...more }));
  scrollTo(0, 0);
}

function overview() {
  const counts = new Map();
  for (const one of all) counts.set(one.venue, (counts.get(one.venue) ?? 0) + 1);
  const info = (venue) => all.find((one) => one.venue === venue).document.info;
  shown.detail.replaceChildren(el('article.panel.operation', {}, el('h2', {}, 'Reference'),
    el('p', {}, `${all.length} operations of ${counts.size} venues, from the specs that the clients are generated from. Search on the left, or choose a venue.`),
    el('table.fields', {}, el('thead', {}, el('tr', {}, ['Venue', 'Operations', 'About'].map((head) => el('th', { scope: 'col' }, head)))),
      el('tbody', {}, [...counts].map(([venue, count]) => el('tr', {},
        el('td', {}, el('button.quiet', { type: 'button', onclick: () => { shown.venues.value = venue; search(); } }, venueName(venue))),
        el('td.num', {}, String(count)), el('td', {}, prose(info(venue).description))))))));
}
