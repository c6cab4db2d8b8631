//! What has happened so far.

/// What the streams of a client have seen. Counts go on over lost connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that are open now.
    pub connections: usize,
    /// Subscriptions that the venue holds now.
    pub subscriptions: usize,
    /// Frames that were read; each JSON object counts.
    pub frames: u64,
    /// Messages that were taken from them: records, where a frame has several.
    pub messages: u64,
    /// Messages that came by calls.
    pub caught_up: u64,
    /// Frames that nobody could be given as data, because their type, their subscription or their form is unknown.
    pub unknown: u64,
    /// Frames that came again and were dropped.
    pub duplicates: u64,
    /// Counts and chains that did not go on where they should.
    pub gaps: u64,
    /// Changes that were dropped because their snapshot was still to come.
    pub before_snapshot: u64,
    /// Messages for items that nobody reads any longer.
    pub unwanted: u64,
    /// Books that could not be true.
    pub book_faults: u64,
    /// Subscriptions that the venue ended.
    pub ended_by_venue: u64,
    /// Items and channels that the venue refused.
    pub refused: u64,
    /// Commands that were sent.
    pub commands: u64,
    /// Commands that got no reply in time.
    pub unanswered: u64,
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that were lost, and not by our word.
    pub lost: u64,
    /// Attempts to open a connection that failed.
    pub failed: u64,
    /// Calls that list what was missed, and that failed.
    pub failed_catch_ups: u64,
}
