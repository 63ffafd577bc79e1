//! temporary
use ndarray::Array2;
use recluster::cluster::*;
use recluster::*;
struct Log;
impl Observer for Log {
    fn event(&self, e: &Event<'_>) {
        if let Event::Finished { stage, seconds, .. } = e {
            eprintln!("   {stage}: {seconds:.3}");
        }
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let d: usize = a[2].parse().unwrap();
    let bytes = std::fs::read(&a[1]).unwrap();
    let v: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let x = Array2::from_shape_vec((v.len() / d, d), v).unwrap();
    let (ms, mcs): (usize, usize) = (a[3].parse().unwrap(), a[4].parse().unwrap());
    let threads: usize = a.get(5).map_or(0, |t| t.parse().unwrap());
    for _ in 0..a.get(6).map_or(2, |t| t.parse().unwrap()) {
        let run = Run::new().threads(threads).observer(Log);
        let t = std::time::Instant::now();
        let m = Hdbscan::new().min_samples(ms).min_cluster_size(mcs).fit(&x, &run).unwrap();
        eprintln!(
            "total {:.3} s, {} clusters, {} noise, sum {}",
            t.elapsed().as_secs_f64(),
            m.clusters(),
            m.labels().iter().filter(|l| **l < 0).count(),
            m.spanning_tree().weights().iter().sum::<f64>()
        );
        let out: Vec<u8> = m.labels().iter().flat_map(|l| l.to_le_bytes()).collect();
        std::fs::write(format!("{}.labels", a[1]), out).unwrap();
    }
}
