// The state: accounts and keys, markets that move, streams, and the switches that make things go wrong.

import { api, clock, el, status, venueName } from './dom.js';
import { faultPanel, showFaults } from './faults.js';

const EVERY = 1000, HISTORY = 120;
const NUMBERS = new Set(['Requests', 'Price', 'Remaining', 'Filled', 'Size', 'No.']);
let timer = null, built = null, chosen = { venue: '', market: '' }, last = null;
const prices = [];

/** Opens the view, and keeps it up to date until it is closed. */
export function openState(section) {
  built ??= build(section);
  clearTimeout(timer);
  tick();
}

export function closeState() {
  clearTimeout(timer);
  timer = null;
}

async function tick() {
  clearTimeout(timer);
  try {
    show(await api('state'));
    if (chosen.market) showMarket(await api(`market/${chosen.venue}?id=${encodeURIComponent(chosen.market)}`));
  } catch {
    // The header says so. The next turn tries again.
  }
  timer = setTimeout(tick, EVERY);
}

function build(section) {
  const accounts = el('div.stack');
  const markets = el('select', { size: '10', 'aria-label': 'Market', onchange: () => choose(markets.value) });
  const venues = el('select', { 'aria-label': 'Venue', onchange: () => { chosen = { venue: venues.value, market: '' }; prices.length = 0; tick(); } });
  const chart = el('div');
  const ladder = el('table.ladder', {}, el('caption.skip', {}, 'Order book'));
  const trades = el('div.trades', { tabindex: '0', 'aria-label': 'Last trades' });
  const streams = el('div.body');
  const market = el('section.panel', { 'aria-label': 'Markets' }, el('h2', {}, 'Markets'),
    el('div.body', {}, el('div.market', {}, el('div.pick', {}, venues, markets), chart,
      el('div.half', {}, el('div', {}, el('h3', {}, 'Order book'), ladder), el('div', {}, el('h3', {}, 'Last trades'), trades)))));
  const faults = faultPanel(act);
  section.append(el('div.columns', {},
    el('div.stack', {}, market, el('section.panel', { 'aria-label': 'Streams' }, el('h2', {}, 'Streams'), streams), accounts),
    el('div.stack', {}, faults.element)));
  return { accounts, venues, markets, chart, ladder, trades, streams, faults };
}

/** Changes something, and shows what came of it. */
async function act(path, method, body, message) {
  try {
    show(await api(path, method, body));
    status(message);
  } catch {
    // The header says why.
  }
}

function show(state) {
  last = state;
  const withMarkets = Object.entries(state.venues).filter(([, venue]) => venue.markets.length);
  if (!built.venues.options.length) {
    built.venues.append(...withMarkets.map(([venue]) => el('option', { value: venue }, venueName(venue))));
    const first = withMarkets.find(([venue]) => venue === 'kalshi') ?? withMarkets[0];
    if (first) built.venues.value = chosen.venue = first[0];
  }
  const markets = state.venues[chosen.venue]?.markets ?? [];
  if (!markets.some((market) => market.id === chosen.market)) choose(bestMarket(markets)?.id ?? '', false);
  if (document.activeElement !== built.markets || built.markets.options.length !== markets.length) {
    const label = (market) => `${market.bid ?? '–'} / ${market.ask ?? '–'}  ${market.id.length > 30 ? market.title : market.id}`;
    built.markets.replaceChildren(...markets.map((market) => el('option', { value: market.id, title: market.title, selected: market.id === chosen.market }, label(market))));
  }
  const keep = document.activeElement?.dataset?.key;
  built.accounts.replaceChildren(...Object.entries(state.venues).map(([venue, one]) => venuePanel(venue, one)));
  if (keep) built.accounts.querySelector(`[data-key="${CSS.escape(keep)}"]`)?.focus();
  built.streams.replaceChildren(streams(state));
  showFaults(built.faults, state);
}

/** The market with the narrowest spread moves most. */
function bestMarket(markets) {
  const spread = (one) => (one.bid && one.ask ? (one.ask - one.bid) / one.ask : 9);
  return [...markets].sort((one, other) => spread(one) - spread(other))[0];
}

function choose(market, refresh = true) {
  if (chosen.market !== market) prices.length = 0;
  chosen.market = market;
  if (refresh) tick();
}

function venuePanel(venue, one) {
  const rows = one.accounts.flatMap((account) => account.keys.map((key) => keyRow(venue, account, key)));
  const orders = one.accounts.flatMap((account) => account.orders.map((order) => el('tr', {},
    el('td', {}, account.name), el('td.mono', {}, order.market), el('td.' + order.side, {}, order.side),
    el('td.num', {}, order.price), el('td.num', {}, order.remaining), el('td.num', {}, order.filled))));
  const positions = one.accounts.flatMap((account) => account.positions.map((position) => el('tr', {},
    el('td', {}, account.name), el('td.mono', {}, position.market), el('td.num', {}, position.size))));
  const balances = one.accounts.map((account) => el('div', {}, el('b', {}, account.name), ': ',
    account.balances.map((balance) => `${balance.amount} ${balance.currency}`).join(', ') || 'no balance'));
  return el('section.panel', { 'aria-label': venueName(venue) }, el('h2', {}, venueName(venue)), el('div.body', {},
    el('div.small.muted', {}, balances),
    table('Keys', ['Key', 'Account', 'Kind', 'Scopes', 'Last used', 'Requests', ''], rows),
    orders.length ? table('Open orders', ['Account', 'Market', 'Side', 'Price', 'Remaining', 'Filled'], orders) : null,
    positions.length ? table('Positions', ['Account', 'Market', 'Size'], positions) : null));
}

function keyRow(venue, account, key) {
  const revoke = el('button.quiet.danger', {
    type: 'button', 'data-key': venue + key.id, 'aria-label': `Revoke ${key.id}`,
    onclick: () => { if (confirm(`Revoke ${key.id}? Requests with it are refused from now on.`)) act('revoke', 'POST', { venue, key: key.id }, 'The key was revoked.'); },
  }, 'Revoke');
  const active = key.status === 'active';
  return el('tr', {},
    el('td.mono', { title: key.name }, key.id), el('td', {}, account.name), el('td', {}, key.kind),
    el('td.small', {}, key.scopes.join(', ')),
    el('td', {}, key.last_used ? clock(key.last_used) : el('span.muted', {}, 'never')), el('td.num', {}, String(key.requests)),
    el('td', {}, active ? revoke : el('span.pill.warn', {}, key.status)));
}

function table(title, heads, rows) {
  return el('div.scroll', {}, el('table', {}, el('caption.skip', {}, title),
    el('thead', {}, el('tr', {}, heads.map((head) => el(NUMBERS.has(head) ? 'th.num' : 'th', { scope: 'col' }, head)))), el('tbody', {}, rows)));
}

function streams(state) {
  const rows = Object.entries(state.venues).flatMap(([venue, one]) => one.connections.map((connection) => el('tr', {},
    el('td.num', {}, String(connection.id)), el('td', {}, venueName(venue)), el('td.mono', {}, connection.endpoint),
    el('td.mono', {}, connection.credential ?? el('span.muted', {}, 'none')),
    el('td.small', {}, connection.subscriptions.length ? connection.subscriptions.map((one) => el('div.mono', {}, one)) : el('span.muted', {}, 'nothing')))));
  return rows.length ? table('Connections', ['No.', 'Venue', 'Endpoint', 'Credential', 'Subscribed to'], rows)
    : el('p.muted', {}, 'No WebSocket is open.');
}

function showMarket(view) {
  const best = (side) => (side.length ? Number(side[0][0]) : null);
  const [bid, ask] = [best(view.bids), best(view.asks)];
  prices.push({ time: last.clock.now, bid, ask });
  if (prices.length > HISTORY) prices.shift();
  built.chart.replaceChildren(chart());
  const mine = new Set((last.venues[chosen.venue]?.accounts ?? []).flatMap((account) => account.orders)
    .filter((order) => order.market === chosen.market).map((order) => order.side + Number(order.price)));
  const sizes = [...view.bids, ...view.asks].map(([, size]) => (size === null ? 0 : Number(size)));
  const largest = Math.max(...sizes, 1e-9);
  const row = ([price, size], side) => {
    const bar = el('span.bar');
    bar.style.width = size === null ? '100%' : `${Math.max(1, (Number(size) / largest) * 100)}%`;
    const own = mine.has((side === 'bid' ? 'buy' : 'sell') + Number(price));
    return el('tr.' + side + (own ? '.mine' : ''), {}, el('td.num', {}, price, own ? el('span', { title: 'An order of a test account' }, ' •') : null),
      el('td.num', {}, bar, size ?? 'any'));
  };
  built.ladder.replaceChildren(el('caption.skip', {}, 'Order book'),
    el('thead', {}, el('tr', {}, el('th.num', { scope: 'col' }, 'Price'), el('th.num', { scope: 'col' }, 'Size'))),
    el('tbody', {}, [...view.asks].slice(0, 8).reverse().map((level) => row(level, 'ask')),
      el('tr.spread', {}, el('td', { colspan: '2' }, bid !== null && ask !== null ? `spread ${Number((ask - bid).toPrecision(6))}` : 'one side is empty')),
      view.bids.slice(0, 8).map((level) => row(level, 'bid'))));
  built.trades.replaceChildren(view.trades.length ? el('table', {}, el('tbody', {}, view.trades.map((trade) => el('tr', {},
    el('td.mono.muted', {}, clock(trade.time)), el('td.' + trade.side, {}, trade.side), el('td.num', {}, trade.price), el('td.num', {}, trade.size)))))
    : el('p.muted.small', {}, 'No trades yet.'));
}

/** Best bid and ask of the last minutes, as lines. */
function chart() {
  const width = 600, height = 190, edge = 8;
  const values = prices.flatMap((one) => [one.bid, one.ask]).filter((one) => one !== null);
  if (!values.length) return el('p.muted', {}, 'The book is empty.');
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || high * 0.001 || 1) * 0.15;
  const [bottom, top] = [low - room, high + room];
  const x = (index) => (prices.length < 2 ? width : (index / (prices.length - 1)) * width);
  const y = (value) => edge + (1 - (value - bottom) / (top - bottom)) * (height - 2 * edge);
  const svg = (name, attributes, ...children) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...children);
    return element;
  };
  const points = (member) => prices.map((one, index) => (one[member] === null ? null : `${x(index).toFixed(1)},${y(one[member]).toFixed(1)}`)).filter(Boolean);
  const asks = points('ask'), bids = points('bid');
  const text = `Best bid ${prices.at(-1).bid ?? 'none'}, best ask ${prices.at(-1).ask ?? 'none'}`;
  return svg('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
    svg('polygon', { class: 'band', points: [...asks, ...bids.reverse()].join(' ') }),
    svg('polyline', { class: 'line', points: asks.join(' ') }),
    svg('polyline', { class: 'line', points: points('bid').join(' ') }),
    svg('text', { x: 6, y: 14 }, String(Number(top.toPrecision(6)))), svg('text', { x: 6, y: height - 5 }, String(Number(bottom.toPrecision(6)))));
}
