//! The end: SIGTERM at any moment leaves nothing undone.

use std::time::Duration;

use scale_from_zero::demo::kubernetes::{Effect, Match, Resource, Subresource, Verb};

use crate::{objects::parked, suite::Suite, wait, world::World};

pub fn register(suite: &mut Suite) {
    suite.both("sigterm", sigterm);
    suite.embedded("sigterm_during_a_wake", sigterm_during_a_wake);
    suite.embedded("sigterm_before_the_first_list", sigterm_before_the_first_list);
}

async fn sigterm(world: &World) {
    world.create(parked("llama", "llama")).await;
    let mut program = world.program("a").ready().await;
    world.ask("llama", "llama", 1);
    world.until_woken("llama").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    program.log.said("Ended", |_| true).await;
    // Whatever came first, the wake is told of.
    world.until_told("llama").await;
    assert_eq!(world.events().await.len(), 2);
}

/// The wake is on its way when the signal comes: its answer is waited for, and it is told of.
async fn sigterm_during_a_wake(world: &World) {
    let kube = world.cluster.kube();
    let scale = Match::verb(Verb::Patch)
        .on(Resource::Deployments)
        .part(Subresource::Scale);
    kube.fail_once(scale.clone(), Effect::Delay(Duration::from_secs(1)));
    world.create(parked("llama", "llama")).await;
    world.ask("llama", "llama", 1);
    let mut program = world.program("a").ready().await;
    wait::in_time(
        "the PATCH is on its way",
        kube.until(|kube| kube.requests_like(&scale).pop()),
    )
    .await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(world.asked("patch", "deployments/scale"), [("llama".into(), 200)]);
    assert_eq!(
        world.asked("patch", "variantautoscalings/status"),
        [("llama".into(), 200)]
    );
    assert_eq!(world.events().await.len(), 2);
}

async fn sigterm_before_the_first_list(world: &World) {
    world.cluster.kube().fail(Match::verb(Verb::List), Effect::Hang);
    let mut program = world.program("a").spawn().await;
    assert_eq!(program.terminate().await.code(), Some(0));
}
