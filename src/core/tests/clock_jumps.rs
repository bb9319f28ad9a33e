//! The wall clock jumps by a day, either way, at any moment of a wake: decisions go by the monotonic clock.

use std::time::Duration;

use super::world::{MOMENT, World, row, s, v};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// From the first request to the end of the episode, and once more; the clock jumps before the step of this number.
/// Says what was done at each step.
fn run(jumps_at: Option<usize>, ahead: bool) -> Vec<String> {
    const STEPS: usize = 9;
    let demand = [row("ns/p/m")];
    let mut world = World::new().pool("ns/p", "app=m").with(v("ns/a"));
    let mut done = Vec::new();
    for step in 0..STEPS {
        if jumps_at == Some(step) {
            let wall = world.now.wall;
            world.now.wall = if ahead { wall + DAY } else { wall - DAY };
        }
        let text = match step {
            0 | 7 => {
                world.wake(&demand, Ok(()));
                "woken".to_owned()
            }
            1 | 8 => {
                world.scale("ns/a", 1, 0);
                let ticked = world.tick(&demand);
                format!("{:?} {:?} {:?}", ticked.wakes(), ticked.why(), ticked.moved())
            }
            2 => {
                let reports = world.reports();
                for report in &reports {
                    world.told(report);
                }
                let again = world.after(MOMENT).reports();
                format!("{} reports, then {}", reports.len(), again.len())
            }
            3 => {
                world.scale("ns/a", 1, 1);
                let ticked = world.tick(&demand);
                format!("{:?} {}", ticked.wakes(), ticked.moved().len())
            }
            // Served for long, with nobody waiting: the episode ends.
            4 | 5 => {
                let ticked = world.after(s(130)).tick(&[]);
                format!("{:?} {}", ticked.wakes(), world.memory.episodes())
            }
            _ => {
                world.scale("ns/a", 0, 0);
                let ticked = world.tick(&[]);
                format!("{:?} {:?}", ticked.wakes(), ticked.moved())
            }
        };
        done.push(text);
        world.after(MOMENT);
    }
    done
}

#[test]
fn rule_14_a_jump_of_the_wall_clock_changes_no_decision() {
    let without = run(None, true);
    for ahead in [true, false] {
        for at in 0..without.len() {
            assert_eq!(run(Some(at), ahead), without, "at {at}, ahead: {ahead}");
        }
    }
    assert_eq!(without[2], "1 reports, then 0");
    assert_eq!(without[5], "[] 0", "the episode is over");
}
