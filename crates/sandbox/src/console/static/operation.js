// One operation: what it takes and gives, what it needs and costs, and how to call it.

import { copyButton, el, prose, tabs, venueName } from './dom.js';
import { boundsOf, example, members, resolve, schemaName, typeOf } from './schema.js';
import { command, curl, rust, valuesOf } from './snippets.js';

const RETRY = {
  safe: ['ok', 'It only reads: clients repeat it after a transient failure.'],
  keyed: ['info', 'Clients repeat it with the same idempotency key, so that it is carried out once.'],
  never: ['warn', 'Clients repeat it only when the venue has certainly not processed it.'],
};

/** The article about an operation. `tools.tryIt` adds a form that sends it. */
export function article(operation, tools) {
  const { document } = operation;
  const sample = sampleOf(operation, tools.samples?.[operation.id]);
  const values = valuesOf(operation, sample);
  return el('article.panel.operation', { 'aria-label': operation.name },
    el('p.muted.small', {}, venueName(operation.venue) + (operation.tag ? ' · ' + operation.tag : '')),
    el('h2', {}, operation.name),
    el('p.route', {}, operation.isRpc ? operation.id : [el('span.pill.info', {}, operation.method), ' ', operation.path]),
    operation.summary ? el('p', {}, prose(operation.summary + '.')) : null,
    operation.description ? el('p.muted', {}, prose(operation.description)) : null,
    badges(operation, tools),
    facts(operation),
    section('Parameters', operation.parameters.length ? parameters(operation) : null),
    section(operation.isRpc ? 'Params' : 'Body', operation.body && members(document, operation.body).length
      ? fields(document, operation.body) : operation.body ? el('p.mono', {}, typeOf(document, operation.body)) : null),
    section(`Response ${operation.status}`, operation.response ? response(operation) : el('p.muted', {}, 'No body.')),
    section('Call it', tabs('Languages', [
      ['curl', () => snippet(curl(operation, values, tools.base(operation)))],
      ['Rust', () => snippet(rust(operation, values))],
      ['venuekit call', () => snippet(command(operation, values))],
    ])),
    tools.tryIt ? tools.tryIt(operation, sample) : null,
    errors(operation));
}

function section(title, content) {
  return content ? [el('h3', {}, title), content] : [];
}

/** Example values: those of the sandbox where there is one, or made from the schemas. */
function sampleOf(operation, given) {
  const { document } = operation;
  const place = (name) => {
    const own = operation.parameters.filter((one) => one.in === name);
    const known = given ? Object.fromEntries(given[name === 'header' ? 'headers' : name]) : {};
    const wanted = own.filter((one) => one.required || name === 'path' || known[one.name] !== undefined);
    return Object.fromEntries(wanted.map((one) => [one.name, known[one.name] ?? example(document, one.schema, one.name)]));
  };
  const body = operation.body ? given?.body ?? example(document, operation.body) : undefined;
  return { path: place('path'), query: place('query'), header: place('header'), body, fullBody: given?.full_body };
}

function badges(operation, tools) {
  const pill = (text, kind, title) => el('span.pill' + (kind ? '.' + kind : ''), { title: title ?? '' }, text);
  const [kind, title] = RETRY[operation.retry] ?? ['', ''];
  const stateful = tools.stateful?.[operation.venue];
  return el('div.badges', {},
    operation.credentials.some((set) => set.length === 0) || !operation.credentials.length
      ? pill('no credential needed', 'ok') : pill('needs a credential', 'info'),
    operation.scope ? pill('scope ' + operation.scope, 'info') : null,
    operation.secondFactor ? pill('second factor', 'warn') : null,
    operation.retry ? pill('retry: ' + operation.retry, kind, title) : null,
    operation.rate ? pill(`cost ${operation.rate.cost} of ${operation.rate.bucket}`, '', 'What the call takes from the rate limit') : null,
    operation.page ? pill('pages', '') : null,
    operation.deprecated ? pill('deprecated', 'bad') : null,
    stateful ? pill(stateful.has(operation.id) ? 'sandbox: stateful' : 'sandbox: example', stateful.has(operation.id) ? 'ok' : '',
      'Whether this sandbox keeps state for the operation, or returns an example generated from the spec') : null);
}

function facts(operation) {
  const sets = operation.credentials.filter((set) => set.length);
  const credential = sets.map((set) => set.map((one) => one.scheme ? `Authorization (${one.scheme})` : one.name).join(' + '));
  const [, retry] = RETRY[operation.retry] ?? [];
  const page = operation.page;
  const reconcile = typeof operation.reconcile === 'string' ? operation.reconcile : operation.reconcile?.operation;
  const rows = [
    credential.length ? ['Credential', credential.join(', or ')] : null,
    retry ? ['Retry', retry] : null,
    operation.keyed ? ['Idempotency key', el('code', {}, operation.keyed.header ?? operation.keyed.field)] : null,
    reconcile ? ['After a lost response', [el('code', {}, String(reconcile)), ' shows whether the call was executed.']] : null,
    page ? ['Paging', el('code', {}, pageText(page))] : null,
  ].filter(Boolean);
  return rows.length ? el('dl.facts', {}, rows.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])) : null;
}

function pageText(page) {
  const until = page.next ? `until ${page.next} is empty` : page.last ? `until ${page.last}` : 'until a page has no items';
  return `${page.style ?? 'cursor'}: ${page.param ?? ''} ${until}`;
}

function parameters(operation) {
  const { document } = operation;
  const rows = operation.parameters.map((one) => el('tr', {},
    el('td', {}, one.name, one.required ? required() : null),
    el('td.muted.small', {}, one.in),
    el('td.type', {}, typeOf(document, one.schema)),
    el('td', {}, prose(one.description ?? resolve(document, one.schema).description), bounds(document, one.schema))));
  return table(['Name', 'In', 'Type', 'Meaning'], rows);
}

const required = () => el('span.req', { title: 'required', 'aria-label': 'required' }, '*');

function bounds(document, schema) {
  const text = boundsOf(document, schema);
  return text ? el('div.small.muted', {}, text) : null;
}

function table(heads, rows) {
  return el('div.scroll', {}, el('table.fields', {},
    el('thead', {}, el('tr', {}, heads.map((head) => el('th', { scope: 'col' }, head)))), el('tbody', {}, rows)));
}

/** The members of an object, and of the objects in it. */
function fields(document, schema) {
  const rows = [];
  const visit = (inner, prefix, depth, open) => {
    for (const one of members(document, inner)) {
      const found = resolve(document, one.schema);
      const marks = found.format === 'secret' ? [' ', el('span.pill.warn', {}, 'secret')] : null;
      rows.push(el('tr' + (depth ? '.child' : ''), {},
        el('td', {}, prefix + one.name, one.required ? required() : null),
        el('td.type', {}, typeOf(document, one.schema)),
        el('td', {}, prose(one.schema.description ?? found.description), marks, bounds(document, one.schema))));
      const element = found.type === 'array' ? found.items : one.schema;
      const name = schemaName(element);
      const deeper = element && members(document, element).length > 0;
      if (deeper && depth < 3 && !(name && open.includes(name))) {
        visit(element, `${prefix}${one.name}${found.type === 'array' ? '[]' : ''}.`, depth + 1, [...open, name]);
      }
    }
  };
  const root = resolve(document, schema);
  const list = root.type === 'array';
  visit(list ? root.items : schema, list ? '[].' : '', 0, [schemaName(schema)]);
  return rows.length ? table(['Member', 'Type', 'Meaning'], rows) : el('p.mono', {}, typeOf(document, schema));
}

function response(operation) {
  const { document } = operation;
  return tabs('Response', [
    ['Members', () => fields(document, operation.response)],
    ['Example', () => el('pre', {}, JSON.stringify(example(document, operation.response, '', true), null, 2))],
  ]);
}

function snippet(text) {
  return el('div.snippet', {}, copyButton(() => text), el('pre', {}, text));
}

function errors(operation) {
  const known = operation.document['x-errors'] ?? {};
  const codes = Object.entries(known.kinds ?? {});
  if (!codes.length) return null;
  const never = new Set((known['not-processed'] ?? []).map(String));
  const rows = codes.map(([code, kind]) => el('tr', {}, el('td', {}, code), el('td', {}, kind),
    el('td.muted.small', {}, never.has(code) ? 'not processed: safe to send again' : '')));
  return el('details', {}, el('summary', {}, `Errors of ${venueName(operation.venue)}: ${codes.length} codes`),
    table(['Code', 'Kind', 'Processing'], rows));
}
