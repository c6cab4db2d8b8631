// The same call for curl, in Rust and at the command line.

import { members, resolve, schemaName, typeOf } from './schema.js';

/** Everything that a call carries, with example values. */
export function valuesOf(operation, sample) {
  const pairs = (place) => operation.parameters.filter((one) => one.in === place)
    .filter((one) => one.required || place === 'path' || sample[place]?.[one.name] !== undefined)
    .map((one) => [one, sample[place]?.[one.name]]);
  return { path: pairs('path'), query: pairs('query'), header: pairs('header'), body: sample.body };
}

const quote = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;

/** A value as the text that a form or a query carries. */
const jsonText = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

function target(operation, values) {
  let path = operation.path;
  for (const [one, value] of values.path) path = path.replace(`{${one.name}}`, encodeURIComponent(value));
  const items = (one, value) => (one.isJson ? [jsonText(value)] : [value].flat());
  const query = values.query.flatMap(([one, value]) => items(one, value).map((item) => `${one.name}=${encodeURIComponent(item)}`));
  return path + (query.length ? '?' + query.join('&') : '');
}

function bodyText(operation, values) {
  if (values.body === undefined || values.body === null) return undefined;
  const body = operation.isRpc ? { jsonrpc: '2.0', id: 1, method: operation.id, params: values.body } : values.body;
  return JSON.stringify(body);
}

/** A command for curl. What has to be signed is named, not made. */
export function curl(operation, values, base) {
  const path = target(operation, values);
  const lines = [`curl -X ${operation.method} ${quote(base + path)}`];
  const set = operation.credentials[0] ?? [];
  const placeholder = (name) => '$' + name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  for (const one of set) {
    if (one.scheme === 'bearer') lines.push('-H "Authorization: Bearer $ACCESS_TOKEN"');
    else if (one.scheme === 'basic') lines.push('-u "$CLIENT_ID:$CLIENT_SECRET"');
    else if (one.name?.toLowerCase() === 'authorization') lines.push('-H "Authorization: $AUTHORIZATION"');
    else lines.push(`-H "${one.name}: ${placeholder(one.name)}"`);
  }
  for (const [one, value] of values.header) lines.push(`-H ${quote(`${one.name}: ${value}`)}`);
  const body = bodyText(operation, values);
  if (body !== undefined && operation.isForm) {
    for (const [name, value] of Object.entries(values.body)) lines.push(`--data-urlencode ${quote(`${name}=${jsonText(value)}`)}`);
  } else if (body !== undefined) lines.push(`-H 'content-type: application/json'`, `--data-binary ${quote(body)}`);
  const needsSigning = set.some((one) => /signature/i.test(one['x-credential'] ?? '') || /signature/i.test(one.name ?? ''));
  const hint = `# \`venuekit sign ${cliName(operation.venue)} ${operation.method} ${quote(path)}\` prints the headers that carry the signature.\n`;
  return (needsSigning ? hint : '') + lines.join(' \\\n  ');
}

const RESERVED = new Set(['type', 'match', 'move', 'ref', 'self', 'use', 'where', 'async', 'await', 'loop', 'in', 'for', 'final', 'abstract', 'override']);

function setter(name) {
  const snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]+/g, '_').toLowerCase();
  return RESERVED.has(snake) ? snake + '_' : snake;
}

const pascal = (word) => String(word).toLowerCase().replace(/(^|[^a-z0-9]+)([a-z0-9])/g, (_, __, letter) => letter.toUpperCase());

function rustValue(document, schema, value) {
  const found = resolve(document, schema);
  const name = schemaName(schema);
  if (found.enum && name) return `types::${name}::${pascal(value)}`;
  if (Array.isArray(value) || (typeof value === 'object' && value !== null)) {
    return `serde_json::from_value(serde_json::json!(${JSON.stringify(value)}))?`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** A call of the generated client. */
export function rust(operation, values) {
  const { document } = operation;
  const lines = ['let response = client', `    .${operation.name}()`];
  for (const [one, value] of [...values.path, ...values.query, ...values.header]) {
    lines.push(`    .${setter(one.name)}(${rustValue(document, one.schema, value)})`);
  }
  if (operation.body && values.body && !Array.isArray(values.body)) {
    const schemas = Object.fromEntries(members(document, operation.body).map((one) => [one.name, one.schema]));
    for (const [name, value] of Object.entries(values.body)) {
      lines.push(`    .${setter(name)}(${rustValue(document, schemas[name] ?? {}, value)})`);
    }
  }
  lines.push('    .send()', '    .await?;');
  const crate = operation.venue;
  const uses = lines.some((line) => line.includes('types::')) ? `use venuekit::${crate}::{Client, types};` : `use venuekit::${crate}::Client;`;
  const short = lines.join('').replace(/\n? +\./g, '.');
  return `${uses}\n\n` + (short.length < 90 ? short : lines.join('\n'));
}

const cliName = (venue) => venue.replaceAll('_', '-');

/** The same at the command line. */
export function command(operation, values) {
  const words = [];
  const word = (name, value) => {
    if (typeof value === 'object' && value !== null) {
      // A slash leads into lists and objects.
      Object.entries(value).forEach(([key, inner]) => word(`${name}/${key}`, inner));
      return;
    }
    const text = String(value);
    words.push(/^[A-Za-z0-9_.:,/-]*$/.test(text) ? `${name}=${text}` : `${name}=${quote(text)}`);
  };
  for (const [one, value] of [...values.path, ...values.query, ...values.header]) word(one.name, [value].flat().join(','));
  if (values.body && !Array.isArray(values.body)) Object.entries(values.body).forEach(([name, value]) => word(name, value));
  const line = ['venuekit call', cliName(operation.venue), operation.name, ...words, '--env local'].join(' ');
  return line.length < 100 ? line : ['venuekit call ' + cliName(operation.venue) + ' ' + operation.name, ...words, '--env local'].join(' \\\n  ');
}

/** What a value looks like in a query or a path. */
export function isList(document, schema) {
  return typeOf(document, schema).startsWith('list of');
}
