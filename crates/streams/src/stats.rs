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
    /// Frames that could not be delivered as data, because their type, their subscription or their form is unknown.
    pub unknown: u64,
    /// Frames that came again and were dropped.
    pub duplicates: u64,
    /// Counts and chains that did not go on where they should.
    pub gaps: u64,
    /// Changes that were dropped because their snapshot was still to come.
    pub before_snapshot: u64,
    /// Messages for items that have no reader any longer.
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
    /// Calls that list what was missed, or return a snapshot, and that failed.
    pub failed_catch_ups: u64,
    /// Snapshots by a call that were older than the changes to them.
    pub old_snapshots: u64,
    /// Connections that were replaced by new ones before they ended.
    pub replaced: u64,
    /// Subscriptions that were accepted, and of which nothing came for a while.
    pub silent: u64,
}

impl std::ops::AddAssign<&Self> for Stats {
    fn add_assign(&mut self, other: &Self) {
        let Self {
            connections,
            subscriptions,
            frames,
            messages,
            caught_up,
            unknown,
            duplicates,
            gaps,
            before_snapshot,
            unwanted,
            book_faults,
            ended_by_venue,
            refused,
            commands,
            unanswered,
            opened,
            lost,
            failed,
            failed_catch_ups,
            old_snapshots,
            replaced,
            silent,
        } = self;
        *connections += other.connections;
        *subscriptions += other.subscriptions;
        *frames += other.frames;
        *messages += other.messages;
        *caught_up += other.caught_up;
        *unknown += other.unknown;
        *duplicates += other.duplicates;
        *gaps += other.gaps;
        *before_snapshot += other.before_snapshot;
        *unwanted += other.unwanted;
        *book_faults += other.book_faults;
        *ended_by_venue += other.ended_by_venue;
        *refused += other.refused;
        *commands += other.commands;
        *unanswered += other.unanswered;
        *opened += other.opened;
        *lost += other.lost;
        *failed += other.failed;
        *failed_catch_ups += other.failed_catch_ups;
        *old_snapshots += other.old_snapshots;
        *replaced += other.replaced;
        *silent += other.silent;
    }
}
