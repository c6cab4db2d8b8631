//! A table for tests, with channels of several forms.

use venuekit_wire::stream::{
    Access, Channel, Dialect, Endpoint, KeepAlive, Limits, Login, Parameter, ParameterKind, Recovery, Sequence, Streams,
};

const INSTRUMENT: Parameter = Parameter { name: "instrument_name", is_required: true, ..Parameter::EMPTY };
const INTERVAL: Parameter =
    Parameter { name: "interval", values: &["raw", "100ms"], is_required: true, ..Parameter::EMPTY };

pub static TABLE: Streams = Streams {
    venue: "example",
    endpoints: &[Endpoint {
        name: "stream",
        servers: &[("demo", "wss://stream.example/ws")],
        path: "/ws",
        login: Login::Call,
    }],
    dialect: Dialect::Calls { subscribe: ("", ""), unsubscribe: ("", ""), channels: "channels" },
    keep_alive: KeepAlive { ask_after: 15, dead_after: 30, ping: None },
    limits: Limits {
        per_command: 500,
        commands_per_second: 3,
        per_connection: 1000,
        connections: &[],
        channel_once: false,
        ..Limits::EMPTY
    },
    query: &[],
    channels: &[
        Channel {
            name: "book.{instrument_name}.{interval}",
            id: "book",
            description: "The order book. Each change of it.",
            endpoint: "stream",
            access: Access::PrivateWhen { parameter: "interval", value: "raw" },
            parameters: &[INSTRUMENT, INTERVAL],
            is_book: true,
            sequence: Sequence::Chain { number: "/change_id", previous: "/prev_change_id" },
            recovery: Recovery::Resubscribe,
            ..Channel::EMPTY
        },
        Channel {
            name: "orders.{instrument_name}.{interval}",
            id: "orders",
            endpoint: "stream",
            access: Access::Private,
            parameters: &[INSTRUMENT, INTERVAL],
            ..Channel::EMPTY
        },
        Channel {
            name: "orders.{instrument_name}.raw",
            id: "orders_raw",
            endpoint: "stream",
            access: Access::Private,
            parameters: &[INSTRUMENT],
            ..Channel::EMPTY
        },
        Channel {
            name: "trade",
            id: "trade",
            description: "Trades.",
            endpoint: "stream",
            parameters: &[
                Parameter { name: "market_tickers", is_list: true, ..Parameter::EMPTY },
                Parameter {
                    name: "use_yes_price",
                    kind: ParameterKind::Boolean,
                    fixed: Some("true"),
                    ..Parameter::EMPTY
                },
            ],
            items: Some("market_tickers"),
            all: true,
            ..Channel::EMPTY
        },
    ],
};
