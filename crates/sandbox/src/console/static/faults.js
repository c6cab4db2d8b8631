// The switches: faults, the clock, the market maker, and the reset.

import { el, venueName } from './dom.js';

const KINDS = [
  ['delay', 'Delay the response', { ms: 2000 }],
  ['drop-after', 'Lose the response', {}],
  ['drop-before', 'Cut the connection before it is carried out', {}],
  ['status-429', 'Respond with 429 Too Many Requests', {}],
  ['status-500', 'Respond with 500 Internal Server Error', {}],
  ['status-503', 'Respond with 503 Service Unavailable', {}],
  ['silence-before', 'Never respond', {}],
  ['close-mid-answer', 'Cut the connection in the middle of the response', {}],
  ['custom', 'Custom rule (JSON)', {}],
];

/** Builds the panel. `act` changes something and shows what came of it. */
export function faultPanel(act) {
  const kind = el('select', {}, KINDS.map(([name, label]) => el('option', { value: name }, label)));
  const venue = el('select', {}, el('option', { value: '' }, 'every venue'));
  const operation = el('input', { placeholder: 'every operation', list: 'operations' });
  const millis = el('input', { type: 'number', min: '0', max: '600000', value: '2000' });
  const times = el('select', {}, el('option', { value: '1' }, 'once'), el('option', { value: '5' }, '5 times'), el('option', { value: '' }, 'until removed'));
  const custom = el('textarea.mono', { spellcheck: 'false' }, '{"venue": "kalshi", "fault": "status", "status": 429, "retry_after": 1, "times": 1}');
  const millisLabel = el('label', {}, 'Milliseconds', millis);
  const customLabel = el('label.wide', { hidden: true }, 'Rule', custom);
  kind.addEventListener('change', () => {
    millisLabel.hidden = kind.value !== 'delay';
    customLabel.hidden = kind.value !== 'custom';
  });
  function rule() {
    if (kind.value === 'custom') return JSON.parse(custom.value);
    const [fault, status] = kind.value.startsWith('status-') ? ['status', Number(kind.value.slice(7))] : [kind.value];
    const made = { fault };
    if (status) made.status = status;
    if (status === 429) made.retry_after = 1;
    if (fault === 'delay') made.ms = Number(millis.value);
    if (venue.value) made.venue = venue.value;
    if (operation.value.trim()) made.operation = operation.value.trim();
    if (times.value) made.times = Number(times.value);
    return made;
  }
  const rules = el('ul.plain');
  const error = el('p.small', { role: 'alert' });
  const form = el('form', {
    onsubmit: (event) => {
      event.preventDefault();
      error.textContent = '';
      try {
        act('faults', 'POST', rule(), 'The fault is switched on.');
      } catch (wrong) {
        error.textContent = 'Invalid rule: ' + wrong.message;
      }
    },
  }, el('div.form', {},
    el('label.wide', {}, 'What goes wrong', kind), el('label', {}, 'Venue', venue), el('label', {}, 'How often', times), millisLabel,
    el('label.wide', {}, 'Operation: name, JSON-RPC method, or method and path; or a channel', operation), customLabel),
  el('div.actions', {}, el('button.primary', { type: 'submit' }, 'Switch on'),
    el('button', { type: 'button', onclick: () => act('faults', 'DELETE', null, 'All faults are off.') }, 'All off')), error);
  const time = el('p', {});
  const offset = el('input', { type: 'number', value: '60', min: '-86400', max: '86400' });
  const maker = el('p', {});
  const seed = el('input', { type: 'number', value: '0', min: '0' });
  const interval = el('input', { type: 'number', value: '500', min: '10', max: '60000' });
  const element = el('div.stack', {},
    el('section.panel', { 'aria-label': 'Faults' }, el('h2', {}, 'Faults'), el('div.body', {}, form, el('hr'), rules)),
    el('section.panel', { 'aria-label': 'Clock' }, el('h2', {}, 'Clock'), el('div.body', {}, time,
      el('div.actions', {}, el('label', {}, 'Seconds ahead', offset),
        el('button', { type: 'button', onclick: () => act('clock', 'POST', { offset_millis: Number(offset.value) * 1000 }, 'The clock was shifted.') }, 'Shift'),
        el('button', { type: 'button', onclick: () => act('clock', 'POST', { offset_millis: 0 }, 'The clock is that of this machine again.') }, 'Reset')))),
    el('section.panel', { 'aria-label': 'Market maker' }, el('h2', {}, 'Market maker'), el('div.body', {}, maker,
      el('div.actions', {}, el('label', {}, 'Seed', seed), el('label', {}, 'Every ms', interval),
        el('button', { type: 'button', onclick: () => act('market-maker', 'POST', { seed: Number(seed.value), interval_millis: Number(interval.value) }, 'The markets move.') }, 'Start'),
        el('button', { type: 'button', onclick: () => act('market-maker', 'POST', null, 'The markets stand still.') }, 'Stop')))),
    el('section.panel', { 'aria-label': 'Sandbox' }, el('h2', {}, 'Sandbox'), el('div.body', {}, el('div.actions', {},
      el('button', { type: 'button', onclick: () => act('disconnect', 'POST', null, 'All WebSocket connections were cut.') }, 'Cut all WebSockets'),
      el('button.danger', {
        type: 'button',
        onclick: () => { if (confirm('Reset all venues to their initial state? Keys, orders and balances made since are lost.')) act('reset', 'POST', null, 'The sandbox was reset.'); },
      }, 'Reset')))));
  return { element, rules, venue, time, maker, act };
}

/** Shows which faults are on, what the clock says, and whether the markets move. */
export function showFaults(panel, state) {
  if (panel.venue.options.length === 1) {
    panel.venue.append(...Object.keys(state.venues).map((venue) => el('option', { value: venue }, venueName(venue))));
  }
  const focused = document.activeElement?.dataset?.rule;
  const items = state.faults.rules.map((rule, index) => {
    const { fault, venue, operation, times, ...rest } = rule;
    const more = Object.entries(rest).map(([name, value]) => `${name} ${value}`).join(', ');
    const where = [venue ? venueName(venue) : 'every venue', operation].filter(Boolean).join(', ');
    const struck = state.faults.strikes[index] ?? 0;
    const over = times !== undefined && struck >= times;
    return el('li', {}, el('div', {}, el('span.pill' + (over ? '' : '.warn'), {}, fault), ' ', more, el('div.small.muted', {},
      `${where}; struck ${struck}${times === undefined ? '' : ' of ' + times}`)),
    el('button.quiet', {
      type: 'button', 'data-rule': String(index), 'aria-label': `Remove the fault ${fault}`,
      onclick: () => panel.act('faults/' + index, 'DELETE', null, 'The fault is off.'),
    }, 'Remove'));
  });
  panel.rules.replaceChildren(...(items.length ? items : [el('li.muted', {}, 'No faults are on.')]));
  if (focused) panel.rules.querySelector(`[data-rule="${focused}"]`)?.focus();
  const shift = state.clock.offset_millis;
  const words = shift === 0 ? 'The clock is that of this machine.' : `The clock is ${Math.abs(shift) / 1000} s ${shift > 0 ? 'ahead' : 'behind'}.`;
  panel.time.textContent = `${new Date(state.clock.now).toLocaleTimeString([], { hour12: false })}. ${words}`;
  const maker = state.market_maker;
  panel.maker.textContent = maker ? `The markets move every ${maker.interval_millis} ms, by the seed ${maker.seed}.` : 'The markets stand still.';
}
