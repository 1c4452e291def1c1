//! What every store promises of workers' own clocks: a mark goes forward, and another setting begins anew.

use crate::support::state::{at, on_each};
use filegen::core::model::names::WorkerId;
use filegen::core::ports::worker_clocks::ClockMark;

fn mark(set_as: &str, second: i64) -> ClockMark {
    ClockMark { set_as: set_as.to_owned(), decided_until: at(second) }
}

#[tokio::test]
async fn a_mark_goes_forward_and_another_setting_takes_its_place() {
    on_each(|state| async move {
        let (loans, rates) = (WorkerId::new("LoanWorker").unwrap(), WorkerId::new("RateWorker").unwrap());
        assert_eq!(state.store().clock_mark(&loans).await, Ok(None));
        for (number, (kept, stays)) in [
            (mark("at two", 20), mark("at two", 20)),
            (mark("at two", 30), mark("at two", 30)),
            // Late, and once more.
            (mark("at two", 10), mark("at two", 30)),
            (mark("at two", 30), mark("at two", 30)),
            // Set otherwise, and back: what stands there is of one setting.
            (mark("at three", 5), mark("at three", 5)),
            (mark("at two", 7), mark("at two", 7)),
            (mark("", 7), mark("", 7)),
        ]
        .into_iter()
        .enumerate()
        {
            state.door(number).keep_clock_mark(&loans, &kept).await.unwrap();
            assert_eq!(state.door(number + 1).clock_mark(&loans).await, Ok(Some(stays)), "{number}");
        }
        assert_eq!(state.store().clock_mark(&rates).await, Ok(None), "another worker's");
    })
    .await;
}

#[tokio::test]
async fn of_many_that_keep_a_mark_at_once_the_furthest_stays() {
    on_each(|state| async move {
        let loans = WorkerId::new("LoanWorker").unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16_usize {
            let (door, loans) = (state.door(number), loans.clone());
            let second = i64::try_from(number).unwrap() * 7 % 16;
            tasks.spawn(async move { door.keep_clock_mark(&loans, &mark("at two", second)).await.unwrap() });
        }
        tasks.join_all().await;
        assert_eq!(state.store().clock_mark(&loans).await, Ok(Some(mark("at two", 15))));
    })
    .await;
}
