//! One broker of three stops, and nothing else does.

use guildhall_e2e::is_long;
use guildhall_engines::OwnEngines;

use crate::alone;
use crate::cluster::Cluster;
use crate::several::LOAD;

/// Seconds for which a broker is away: more than it takes until others lead its partitions.
const AWAY_SECONDS: u32 = 16;
/// Milliseconds within which every post is acknowledged. So it is while the broker is still away.
const POST_MS: f64 = 15_000.0;

#[test]
fn a_broker_may_be_killed_or_stand_still_and_posts_go_on_without_it() {
    let _alone = alone();
    let Some(own) = OwnEngines::start_with_brokers(3) else {
        return;
    };
    let cluster = Cluster::up(own.engines().clone(), 3);
    let broker = own.shell();
    let rounds = if is_long() { 18 } else { 2 };
    // A run in which no session had to resume proves nothing, so nodes leave and die as well.
    let fault = format!(
        "{broker}
         broker=$((ROUND % 3 + 1))
         case $((ROUND % 6)) in
             0) broker kill $broker; sleep {AWAY_SECONDS}; cluster drain 1; cluster start 1
                broker restart $broker ;;
             1) broker pause $broker; sleep {AWAY_SECONDS}; broker resume $broker ;;
             2) broker kill $broker; broker restart $broker ;;
             3) broker kill $broker; cluster kill 2; sleep {AWAY_SECONDS}
                cluster start 2; broker restart $broker ;;
             4) broker pause $broker; sleep 2; broker resume $broker ;;
             *) broker pause $broker; cluster drain 3; cluster start 3; sleep 30; broker resume $broker ;;
         esac"
    );
    let told = cluster.strikes(rounds, &fault, LOAD);
    if !is_long() {
        assert!(
            told.contains(" resumes, 0 op 9"),
            "{told}{}",
            cluster.logs()
        );
        let slowest = slowest_answer(&told);
        assert!(slowest < POST_MS, "{told}{}", cluster.logs());
    }
}

/// Milliseconds from when the slowest post was to be made until it was acknowledged.
fn slowest_answer(told: &str) -> f64 {
    let line = told.lines().find(|line| line.starts_with("to answer"));
    let (_, slowest) = line
        .and_then(|line| line.split_once("max "))
        .expect("it is told");
    let (number, _) = slowest.split_once(" ms").expect("in milliseconds");
    number.parse().expect("it is a number")
}
