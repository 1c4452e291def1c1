//! Every state that the protocol of lease, fence and publication can get into, within small bounds: three pods, three
//! tokens, two files of two pages. And that the search finds the harm when a part of the protocol is missing.

mod protocol;
mod state;

use protocol::{Protocol, Volume};
use stateright::{Checker, HasDiscoveries, Model};

/// Looks at every state.
fn holds(protocol: Protocol) {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    println_states(protocol, checker.unique_state_count(), checker.max_depth());
    assert!(checker.is_done());
    checker.assert_properties();
}

/// Looks until the one claim is broken.
fn breaks(protocol: Protocol, claim: &'static str) {
    let until = HasDiscoveries::AnyOf([claim].into());
    let checker = protocol.checker().threads(2).finish_when(until).spawn_bfs().join();
    assert!(checker.discovery(claim).is_some(), "{protocol:?}: `{claim}` holds all the same");
}

#[expect(clippy::print_stdout, reason = "the size of the search, for whoever runs it with --nocapture")]
fn println_states(protocol: Protocol, states: usize, depth: usize) {
    println!("{protocol:?}: {states} states, {depth} deep");
}

#[test]
fn whoever_is_late_changes_nothing_on_a_local_volume() {
    holds(Protocol::of(Volume::Local));
}

#[test]
fn whoever_is_late_changes_nothing_on_a_network_volume() {
    holds(Protocol::of(Volume::Network));
}

#[test]
fn whoever_never_ends_changes_nothing_on_a_local_volume() {
    holds(Protocol { timeless: true, ..Protocol::of(Volume::Local) });
}

#[test]
fn whoever_never_ends_changes_nothing_on_a_network_volume() {
    holds(Protocol { timeless: true, ..Protocol::of(Volume::Network) });
}

#[test]
fn a_store_that_forgets_all_claims_costs_nothing() {
    // One pod stands at a time: what a race for a token costs is seen above.
    holds(Protocol { forgets: true, pods: 1, ..Protocol::of(Volume::Local) });
}

#[test]
fn without_the_fence_an_older_holder_publishes_behind_a_newer_one() {
    let unfenced = Protocol { timeless: true, fences: false, removes: false, ..Protocol::of(Volume::Local) };
    breaks(unfenced, "nothing of an older holder appears");
}

#[test]
fn a_renamed_folder_alone_is_no_fence_on_a_network_volume() {
    let renamed = Protocol { removes: false, ..Protocol::of(Volume::Network) };
    breaks(renamed, "nothing of an older holder appears");
}

#[test]
fn published_by_rename_without_a_fence_a_file_changes() {
    let unfenced = Protocol { timeless: true, fences: false, removes: false, ..Protocol::of(Volume::Local) };
    let renaming = Protocol { links: false, ..unfenced };
    breaks(renaming, "a published file never changes");
    breaks(renaming, "published files are of one mind");
}

#[test]
fn a_file_shared_with_an_older_holder_changes_behind_its_publication() {
    let shared = Protocol { copies: false, ..Protocol::of(Volume::Local) };
    breaks(shared, "a published file never changes");
}

#[test]
fn a_store_that_accepts_two_claims_has_two_winners() {
    let accepting = Protocol { refuses: false, ..Protocol::of(Volume::Local) };
    breaks(accepting, "a token has one winner");
}
