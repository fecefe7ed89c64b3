//! How long sandboxes of other kinds take to start, as published.

use std::f64::consts::PI;
use std::time::Duration;

/// A distribution of cold starts: what is published of it, and a log-normal above its least value that has the same
/// median and standard deviation.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) name: &'static str,
    median_ms: f64,
    least_ms: f64,
    deviation_ms: f64,
    /// The longest that was published: what is drawn above it is cut.
    most_ms: f64,
}

impl Start {
    /// Cold starts of a trivial function in a provider's container, as measured by L. Wang, M. Li, Y. Zhang, T. Ristenpart
    /// and M. Swift, "Peeking Behind the Curtains of Serverless Platforms", USENIX ATC 2018, section 5.1 and its table of
    /// cold-start latencies (median, minimum, maximum, standard deviation). M. Shilkov, "Comparison of Cold Starts in
    /// Serverless Functions across AWS, Azure, and GCP" (mikhail.io/serverless/coldstarts/big3), finds the same orders of
    /// magnitude later: well below 1 s, 0.5 to 2 s, and often up to 5 s.
    ///
    /// These are small functions. Sandboxes that clone a repository or install packages take longer.
    pub(crate) fn published() -> [Self; 3] {
        [
            Self {
                name: "AWS Lambda, 128 MB (ATC 2018)",
                median_ms: 265.21,
                least_ms: 189.87,
                deviation_ms: 354.43,
                most_ms: 7048.42,
            },
            Self {
                name: "Google Cloud Functions, 128 MB (ATC 2018)",
                median_ms: 493.04,
                least_ms: 268.5,
                deviation_ms: 345.8,
                most_ms: 2803.8,
            },
            Self {
                name: "Azure Functions (ATC 2018)",
                median_ms: 3640.02,
                least_ms: 431.58,
                deviation_ms: 5110.12,
                most_ms: 45772.06,
            },
        ]
    }

    pub(crate) fn delay(&self, chance: &mut Chance) -> Duration {
        // Of a log-normal with median m and variance v: v = m² s (s − 1) with s = exp(σ²).
        let median = self.median_ms - self.least_ms;
        let ratio = (self.deviation_ms / median).powi(2);
        let spread = f64::midpoint(1.0, 4.0_f64.mul_add(ratio, 1.0).sqrt()).ln().sqrt();
        let ms = self.least_ms + median * (spread * chance.normal()).exp();
        Duration::from_secs_f64(ms.min(self.most_ms) / 1e3)
    }
}

/// How long a model takes to its first token: log-normal, 0.5 s at p50 and 1.1 s at p95. An assumption, and the same for
/// both sides.
pub(crate) fn model_delay(chance: &mut Chance) -> Duration {
    Duration::from_secs_f64(0.5 * (0.48 * chance.normal()).exp())
}

/// Numbers that a seed repeats (SplitMix64, Steele et al. 2014).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    /// Above 0, at most 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 1.0) / 9_007_199_254_740_992.0
    }

    /// Of mean 0 and deviation 1 (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (2.0 * PI * angle).cos()
    }
}
