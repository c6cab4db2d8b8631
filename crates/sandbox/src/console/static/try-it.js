// "Try it": sends an operation to this sandbox as one of its test accounts. The sandbox signs; no secret reaches the page.

import { api, el, pretty, venueName } from './dom.js';
import { isList } from './snippets.js';
import { members, resolve, typeOf } from './schema.js';

/** A form for an operation, filled with example values. */
export function tryItForm(credentials) {
  return (operation, sample) => {
    const { document } = operation;
    const own = credentials[operation.venue] ?? [];
    const needs = operation.credentials.some((set) => set.length);
    const account = el('select', {}, own.map((one) => el('option', { value: String(one.index), selected: needs && one === own[0] }, one.name)),
      el('option', { value: '', selected: !needs || !own.length }, 'nobody: send it unsigned'));
    const inputs = operation.parameters.map((one) => [one, parameterInput(document, one, sample[one.in]?.[one.name])]);
    const hasBody = operation.body !== undefined && (!operation.isRpc || members(document, operation.body).length > 0);
    const text = hasBody && sample.body !== undefined ? JSON.stringify(sample.body, null, 2) : '';
    const body = hasBody ? el('textarea.mono', { rows: String(Math.min(16, text.split('\n').length + 1)), spellcheck: 'false' }, text) : null;
    const output = el('div', { role: 'region', 'aria-label': 'Response', 'aria-live': 'polite' });
    const send = el('button.primary', { type: 'submit' }, 'Send');
    const form = el('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        send.disabled = true;
        try {
          const pairs = (place) => inputs.filter(([one]) => one.in === place && inputOf(one).value !== '')
            .flatMap(([one]) => (place === 'query' && !one.isJson && isList(document, one.schema) ? inputOf(one).value.split(',') : [inputOf(one).value])
              .map((value) => [one.name, value]));
          const response = await api('call', 'POST', {
            venue: operation.venue, operation: operation.id, path: Object.fromEntries(pairs('path')), query: pairs('query'),
            headers: pairs('header'), body: body ? body.value : null, credential: account.value === '' ? null : Number(account.value),
          });
          output.replaceChildren(...show(response));
        } catch (error) {
          output.replaceChildren(el('p.finding', {}, el('b', {}, 'Not sent: '), error.message));
        } finally {
          send.disabled = false;
        }
      },
    },
    el('div.grid', {}, el('label', {}, `Test account of ${venueName(operation.venue)}`, account), inputs.map(([, label]) => label)),
    body ? el('label', { style: undefined }, operation.isRpc ? 'Params (JSON)' : operation.isForm ? 'Form (members as JSON)' : 'Body (JSON)', body) : null,
    el('p', {}, send, ' ', sample.fullBody && body ? el('button', {
      type: 'button', onclick: () => { body.value = JSON.stringify(sample.fullBody, null, 2); },
    }, 'Fill in every field') : null));
    if (body) body.closest('label').classList.add('block');
    const inputOf = (one) => inputs.find(([known]) => known === one)[1].querySelector('input, select');
    return el('section.try', { 'aria-label': 'Try it' }, el('h3', {}, 'Try it'),
      el('p.muted.small', {}, 'The call goes to this sandbox, appears in the log, and meets the faults that are switched on.'), form, output);
  };
}

function parameterInput(document, one, value) {
  const name = [one.name, one.required ? ' *' : ''];
  const found = resolve(document, one.schema);
  const text = value === undefined ? '' : [value].flat().join(',');
  if (found.enum) {
    const options = found.enum.filter((word) => word !== null).map((word) => el('option', { value: String(word), selected: text === String(word) }, String(word)));
    return el('label', {}, name, el('select', {}, el('option', { value: '', selected: text === '' }, one.required ? 'choose' : 'not sent'), options));
  }
  return el('label', {}, name, el('input', { value: text, required: one.required && one.in === 'path', placeholder: typeOf(document, one.schema) }));
}

function show(response) {
  if (response.error) {
    return [el('p.finding', {}, el('b', {}, 'No response: '), response.error), el('p.mono.muted', {}, response.target)];
  }
  const kind = response.status < 400 ? 'ok' : response.status < 500 ? 'warn' : 'bad';
  const headers = response.headers.map(([name, value]) => `${name}: ${value}`).join('\n');
  return [
    el('p', {}, el('span.pill.' + kind, {}, String(response.status)), ' ', el('span.mono.muted', {}, response.target), ' ',
      el('span.muted.small', {}, `${response.millis} ms`)),
    el('details', {}, el('summary', {}, `${response.headers.length} headers`), el('pre', {}, headers)),
    el('pre', {}, response.body ? pretty(response.body) : '(no body)'),
  ];
}
