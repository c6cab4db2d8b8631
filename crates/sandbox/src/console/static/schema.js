// Reads specs: operations of OpenAPI and OpenRPC documents, their schemas, and example values.

/** Follows references to named schemas. */
export function resolve(document, schema) {
  let found = schema;
  for (let depth = 0; found?.$ref && depth < 20; depth += 1) {
    found = found.$ref.slice(2).split('/').reduce((value, key) => value?.[key.replaceAll('~1', '/')], document);
  }
  return found ?? {};
}

/** The name of a named schema. */
export function schemaName(schema) {
  return schema?.$ref?.split('/').pop();
}

/** An operation's name in the Rust clients and at the command line. */
export function snakeCase(name) {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_').toLowerCase();
}

function schemes(document, security) {
  const known = document.components?.securitySchemes ?? document['x-security-schemes'] ?? {};
  return (security ?? []).map((set) => Object.keys(set).map((name) => ({ ...known[name], id: name })));
}

function words(operation) {
  return {
    summary: operation.summary ?? '', description: operation.description ?? '', deprecated: operation.deprecated === true,
    scope: operation['x-scope'], retry: typeof operation['x-retry'] === 'object' ? Object.keys(operation['x-retry'])[0] : operation['x-retry'], rate: operation['x-rate'], page: operation['x-page'],
    reconcile: operation['x-reconcile'], secondFactor: operation['x-second-factor'] === true,
    keyed: operation['x-retry']?.keyed,
  };
}

function rest(document, prefix) {
  const operations = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!['get', 'post', 'put', 'patch', 'delete'].includes(method)) continue;
      const all = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((one) => resolve(document, one));
      const good = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith('2')) ?? ['200', {}];
      const json = (holder) => resolve(document, holder ?? {})?.content?.['application/json']?.schema;
      const form = resolve(document, operation.requestBody ?? {})?.content?.['application/x-www-form-urlencoded']?.schema;
      operations.push({
        ...words(operation), id: operation.operationId, name: snakeCase(operation.operationId), tag: operation.tags?.[0] ?? '',
        method: method.toUpperCase(), path: prefix + path, isRpc: false,
        // A parameter with a content type is sent as JSON text.
        parameters: all.filter((one) => ['path', 'query', 'header'].includes(one.in))
          .map((one) => (one.content ? { ...one, schema: json(one), isJson: true } : one)),
        body: json(operation.requestBody) ?? form, isForm: form !== undefined, status: good[0], response: json(good[1]),
        credentials: schemes(document, operation.security ?? document.security),
      });
    }
  }
  return operations;
}

function rpc(document, prefix) {
  const ids = new Set(document.methods.map((method) => method.name));
  const short = (id) => {
    const [group, bare] = id.split('/');
    return snakeCase(group === 'private' && ids.has('public/' + bare) ? id : bare ?? id);
  };
  return document.methods.map((method) => {
    const params = method.params.map((one) => resolve(document, one));
    const properties = Object.fromEntries(params.map((one) => [one.name, { ...one.schema, description: one.description ?? one.schema?.description }]));
    return {
      ...words(method), id: method.name, name: short(method.name), tag: method.tags?.[0]?.name ?? '',
      method: 'POST', path: `${prefix}/${method.name}`, isRpc: true, parameters: [],
      body: { type: 'object', properties, required: params.filter((one) => one.required).map((one) => one.name) },
      status: '200', response: method.result?.schema,
      credentials: schemes(document, method['x-security'] ?? document['x-security']),
    };
  });
}

/** The operations of a document, as the reference shows them. */
export function operationsOf(venue, document) {
  const prefix = new URL(document.servers[0].url).pathname.replace(/\/$/, '');
  const all = document.methods ? rpc(document, prefix) : rest(document, prefix);
  return all.map((operation) => ({ ...operation, venue, document }));
}

function parts(schema) {
  return [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
}

/** The members of an object, those of its parts included. */
export function members(document, schema) {
  const found = resolve(document, schema);
  const required = new Set(found.required ?? []);
  const list = Object.entries(found.properties ?? {})
    .map(([name, property]) => ({ name, schema: property, required: required.has(name) && property.nullable !== true }));
  for (const part of found.allOf ?? []) list.push(...members(document, part));
  for (const part of [...(found.anyOf ?? []), ...(found.oneOf ?? [])]) {
    for (const one of members(document, part)) {
      if (!list.some((known) => known.name === one.name)) list.push({ ...one, required: false });
    }
  }
  return list.sort((one, other) => other.required - one.required);
}

/** What a value may be, in a few words. */
export function typeOf(document, schema) {
  const found = resolve(document, schema);
  if (found.enum) return found.enum.filter((one) => one !== null).join(' | ');
  if (found.const !== undefined) return JSON.stringify(found.const);
  const inner = parts(found).map((one) => typeOf(document, one)).filter((one) => one !== 'null');
  if (inner.length) return [...new Set(inner)].join(' or ');
  const types = [found.type].flat().filter((one) => one && one !== 'null');
  if (types[0] === 'array') return 'list of ' + (found.items ? typeOf(document, found.items) : 'any');
  if (found.format) return found.format;
  return { string: 'text', undefined: 'any' }[types[0]] ?? types.join(' or ');
}

/** The bounds of a value, in a few words. */
export function boundsOf(document, schema) {
  const found = resolve(document, schema);
  const list = [];
  if (found.minimum !== undefined) list.push((found.exclusiveMinimum === true ? '> ' : '≥ ') + found.minimum);
  if (found.maximum !== undefined) list.push((found.exclusiveMaximum === true ? '< ' : '≤ ') + found.maximum);
  if (found.maxLength !== undefined) list.push(`at most ${found.maxLength} characters`);
  if (found.maxItems !== undefined) list.push(`at most ${found.maxItems} items`);
  if (found.pattern) list.push(found.pattern);
  if (found.default !== undefined) list.push('default ' + JSON.stringify(found.default));
  return list.join(', ');
}

const SAMPLES = {
  decimal: '1.00', uuid: '5f0c3c5e-0f3a-4c57-9c39-7d1f4f2a9b11', date: '2026-01-31', 'date-time': '2026-01-31T12:00:00Z',
  'unix-ms': 1769860800000, 'unix-s': 1769860800, secret: '...', uri: 'https://example.com/hook', email: 'name@example.com',
};

/** An example of a value. Optional members are left out unless `full`. */
export function example(document, schema, name = '', full = false, depth = 0) {
  const found = resolve(document, schema);
  if (found.example !== undefined) return found.example;
  if (found.const !== undefined) return found.const;
  if (found.default !== undefined && found.default !== null) return found.default;
  if (found.enum) return found.enum.find((one) => one !== null);
  const choice = (found.oneOf ?? found.anyOf ?? []).find((one) => resolve(document, one).type !== 'null');
  const type = [found.type].flat().find((one) => one && one !== 'null');
  if (found.allOf && !found.properties && type !== 'object') {
    const whole = found.allOf.find((one) => !members(document, one).length);
    if (whole) return example(document, whole, name, full, depth + 1);
  }
  if (type === 'object' || found.properties || found.allOf) {
    if (depth > 6) return {};
    const list = members(document, found).filter((one) => one.required || (full && depth === 0));
    return Object.fromEntries(list.map((one) => [one.name, example(document, one.schema, one.name, full, depth + 1)]));
  }
  if (choice && type === undefined) return example(document, choice, name, full, depth + 1);
  if (type === 'array') return depth > 6 ? [] : [example(document, found.items ?? {}, name, full, depth + 1)];
  if (type === 'boolean') return true;
  if (SAMPLES[found.format] !== undefined) {
    const sample = SAMPLES[found.format];
    return type === 'string' ? String(sample) : typeof sample === 'string' ? Number(sample) || 1 : sample;
  }
  if (type === 'integer' || type === 'number') return Math.max(found.minimum ?? 1, found.exclusiveMinimum === true ? 1 : 0) || 1;
  return name ? name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase() : 'TEXT';
}
