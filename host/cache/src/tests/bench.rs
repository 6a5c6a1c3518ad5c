use super::world::*;
use hyp_model::judge::Candidate;
use std::time::Instant;
#[test]
fn bench() {
    let world = world();
    let mut writer = world.writer("run");
    let all: Vec<Thread> = (0..100)
        .map(|n| {
            let mut t = thread(&format!("00000000-0000-0000-0000-{n:012}"), n * 5000_000_000, 2000);
            for l in &mut t.lines {
                l.message_id = format!("{:?}", uuid::Uuid::new_v4());
                l.text = l.text.repeat(20)
            }
            t
        })
        .collect();
    for pass in 0..2 {
        let (mut judge, mut batch, mut commit) = (0.0, 0.0, 0.0);
        for threads in all.chunks(10) {
            let facts: Vec<_> = threads.iter().map(Thread::facts).collect();
            let c: Vec<Candidate> = (0..10)
                .flat_map(|t| (0..2000).map(move |l| (t, l)))
                .map(|(t, l): (usize, usize)| {
                    let x = &threads[t].lines[l];
                    Candidate {
                        part_id: x.part_id(),
                        thread: t,
                        message_index: l as i32,
                        response_id: x.response_id.clone(),
                        call_id: None,
                        said_key: x.said_key(),
                        is_replay: false,
                        content_key: x.said_key(),
                        span: (0, 10),
                    }
                })
                .collect();
            let at = Instant::now();
            let j = writer.judge(&facts, &c).unwrap();
            judge += at.elapsed().as_secs_f64();
            if pass == 1 {
                assert!(j.verdicts.iter().all(|v| *v == hyp_model::judge::Verdict::Stored));
                continue;
            }
            let at = Instant::now();
            let kept: Vec<_> = (0..10)
                .flat_map(|t| (0..2000).map(move |l| (t, l)))
                .map(|(t, l): (usize, usize)| (&threads[t], l, None))
                .collect();
            let rows = super::world::batch(&kept);
            batch += at.elapsed().as_secs_f64();
            let at = Instant::now();
            writer
                .commit(crate::Commit { rows: Some(rows), threads: facts, ..Default::default() })
                .unwrap();
            commit += at.elapsed().as_secs_f64();
        }
        println!("pass {pass}: judge {judge:.2} batch {batch:.2} commit {commit:.2}");
        drop(writer);
        writer = world.writer("run2");
    }
}
