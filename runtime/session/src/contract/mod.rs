//! The conformance suite of [`SessionLog`]: one function for each promise, and [`assert_log_contract`], which runs all.
//!
//! Whoever implements the trait brings a [`Factory`] and calls that from a test. A promise that is not kept panics where it
//! was found out.

pub mod appending;
pub mod arriving;
mod bench;
pub mod following;
pub mod forking;
pub mod keeping;
pub mod leasing;
pub mod model;
pub mod reading;
pub mod recording;

pub use keeping::assert_blobs_contract;

use crate::SessionLog;
use async_trait::async_trait;
use std::time::Duration;

/// Makes logs to be tested.
#[async_trait]
pub trait Factory: Sync {
    /// A log of its own, without sessions.
    async fn fresh(&self) -> Box<dyn Subject>;
}

/// One log under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The log as it is open now.
    fn log(&self) -> &dyn SessionLog;

    /// Closes the log and opens it again, as after the end of its process. `false`, which is what this does unless it is
    /// written anew, says that there is no such thing.
    async fn reopen(&mut self) -> bool {
        false
    }

    /// Lets time pass for leases. Waits for it, unless the clock can be set.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

macro_rules! promises {
    ($($module:ident: $($name:ident),* $(,)?;)*) => {
        /// The names of all promises that [`assert_log_contract`] tests.
        pub const PROMISES: &[&str] = &[$($(stringify!($name)),*),*];

        /// Tests every promise of [`SessionLog`], each on a log of its own.
        ///
        /// # Panics
        ///
        /// At the first promise that is not kept.
        pub async fn assert_log_contract(factory: &dyn Factory) {
            // Boxed, because together they would be too large for the stack of a test's thread.
            $($(Box::pin($module::$name(factory)).await;)*)*
        }
    };
}

promises! {
    appending:
        events_get_dense_places_in_the_order_of_their_appends,
        several_batches_of_one_session_follow_each_other,
        all_batches_are_appended_or_none,
        an_expected_head_is_the_head_or_the_append_is_refused,
        an_empty_batch_only_checks,
        an_event_id_is_taken_once,
        what_is_too_much_is_refused,
        the_canonical_bytes_come_back_verbatim,
        what_was_appended_survives_a_reopen,
        many_appends_at_once_leave_no_gap;
    recording:
        a_session_begins_with_an_event_and_an_id_of_its_own,
        a_session_that_is_not_there_is_named_in_the_error,
        a_record_says_what_the_events_say,
        the_hash_of_a_record_is_the_chain_of_its_events,
        sessions_are_listed_from_the_newest_on,
        a_removed_session_is_gone;
    reading:
        a_slice_is_any_part_from_either_end,
        the_last_events_and_those_before_a_place_have_a_short_form,
        a_filter_admits_types_and_threads,
        pages_follow_each_other_without_a_gap,
        a_page_ends_once_its_bytes_are_many,
        a_filter_that_admits_little_gives_empty_pages_with_a_next,
        an_event_is_found_by_its_id;
    following:
        a_follower_gets_every_event_once_from_any_place,
        a_place_that_is_not_reached_is_waited_for,
        followers_and_writers_do_not_disturb_each_other,
        a_slow_follower_misses_nothing_and_delays_nobody,
        giving_up_a_wait_loses_nothing,
        the_follower_of_a_removed_session_is_told,
        a_preview_comes_before_later_events_or_not_at_all,
        a_waiting_follower_sees_previews_of_its_session;
    leasing:
        one_brain_holds_a_session,
        a_stale_epoch_is_fenced_where_a_fresh_one_works,
        an_epoch_that_was_never_given_is_fenced,
        a_lease_ends_with_its_time_and_lasts_when_renewed,
        a_lease_that_is_given_back_ends_at_once,
        a_session_that_is_held_is_not_removed,
        epochs_rise_strictly_also_over_a_reopen,
        no_lease_survives_a_reopen,
        a_client_needs_no_lease;
    forking:
        a_fork_shares_what_was_and_goes_on_alone,
        the_hash_of_a_fork_is_chained_to_its_genesis,
        a_fork_of_a_fork_has_both_in_its_lineage,
        a_fork_within_the_shared_part_is_one_of_the_first_session,
        a_fork_at_the_head_is_its_parent_so_far,
        a_fork_beyond_the_head_is_refused,
        a_fork_refuses_the_ids_of_its_shared_part,
        a_fork_outlives_its_parent,
        a_parent_outlives_its_fork,
        a_fork_knows_its_own_checkpoints,
        a_fork_follows_from_the_shared_part_into_its_own,
        a_fork_is_not_its_parents_to_lease;
    arriving:
        a_session_that_arrives_is_not_there_until_it_is_whole,
        a_session_that_is_given_whole_is_there_at_once,
        a_session_arrives_where_it_was_said_to,
        a_session_that_is_given_up_is_gone,
        a_session_that_has_not_arrived_is_gone_after_a_reopen,
        sessions_that_arrive_are_not_counted,
        a_session_from_elsewhere_keeps_its_hashes,
        a_session_from_elsewhere_that_contradicts_its_lineage_is_refused;
    model:
        random_operations_do_what_the_model_does;
}
