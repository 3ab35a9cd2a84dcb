use futures::StreamExt as _;
#[tokio::main]
async fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (from, count, jobs) = (args[0], args[1], args.get(2).copied().unwrap_or(6) as usize);
    let t = std::time::Instant::now();
    let mut all = trials::Tallies::default();
    let mut s = futures::stream::iter(from..from + count)
        .map(|seed| async move { let t = std::time::Instant::now(); let r = tokio::spawn(async move { tokio::time::timeout(std::time::Duration::from_secs(120), trials::schedule(seed, &trials::Options::default())).await }).await.unwrap(); (seed, r, t.elapsed()) })
        .buffer_unordered(jobs);
    while let Some((seed, r, took)) = s.next().await {
        match r { Ok(r) => { println!("seed {seed} {took:.1?}"); for v in &r.violations { println!("  {v}"); } all.add(&r.tallies); } Err(_) => println!("seed {seed} TIMED OUT") }
    }
    println!("{all}\n{:.1?}", t.elapsed());
}
