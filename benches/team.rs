//! What a phase of the worker team costs when its items cost nothing, per phase: with the team's workers taking part, and
//! with a team that is alone.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gannet::parallel::{build_pool, with_team};

fn empty_phases(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("empty_phase");
    for threads in [1, 2] {
        let pool = (threads > 1).then(|| build_pool(threads - 1).expect("the system grants a thread"));
        with_team(threads, pool.as_ref(), |team| {
            for items in [2, 16] {
                group.bench_function(format!("threads={threads}/items={items}"), |bencher| {
                    bencher.iter(|| team.for_each(0..black_box(items), |item| _ = black_box(item)));
                });
            }
        });
    }
    group.finish();
}

criterion_group!(benches, empty_phases);
criterion_main!(benches);
