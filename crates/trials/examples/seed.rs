#[tokio::main]
async fn main() {
    for seed in std::env::args().skip(1) {
        let seed = seed.parse().expect("a seed");
        let t = std::time::Instant::now();
        let r =
            tokio::spawn(async move { trials::schedule(seed, &trials::Options::default()).await }).await.expect("ran");
        println!("seed {seed}: {:.1?}\n{}\n{:#?}", t.elapsed(), r.tallies, r.violations);
    }
}
