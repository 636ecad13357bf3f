//! The utilization columns and parameter counts that were published with the measured tables.

use tminus::measure::MOSAICGPT_2023;
use tminus::model::Shape;
use tminus::utilization::Convention;

/// Dense bf16 FLOP/s of the A100, as the tables' document assumes.
const A100_PEAK_FLOPS: f64 = 312e12;

/// Shapes of the measured family.
fn shape(model: &str) -> Shape {
    let (d_model, n_layers, n_heads) = match model {
        "gpt125m" => (768, 12, 12),
        "gpt350m" => (1024, 24, 16),
        "gpt760m" => (1536, 24, 12),
        "gpt1b" => (2048, 24, 16),
        "gpt3b" => (2560, 32, 20),
        "gpt7b" => (4096, 32, 32),
        "gpt13b" => (5120, 40, 40),
        other => panic!("no shape for {other}"),
    };
    Shape::gpt(d_model, n_layers, n_heads, 50_257).unwrap()
}

#[test]
fn published_columns_are_reproduced_on_every_row() {
    let mut reader = csv::Reader::from_reader(MOSAICGPT_2023.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let cell = |name: &str| {
            let column = headers.iter().position(|header| header == name).unwrap();
            &record[column]
        };
        let number = |name: &str| cell(name).parse::<f64>().unwrap();
        let shape = shape(cell("model"));
        let seq_len: u64 = cell("seq_len").parse().unwrap();
        assert_eq!(shape.params(seq_len).to_string(), cell("n_params"));

        let utilization = Convention::Mosaic2022
            .flops_per_token(&shape, seq_len, true)
            .utilization(number("throughput_tok_s") / number("gpus"), A100_PEAK_FLOPS);
        for (column, computed) in [
            ("mfu_star", utilization.mfu_star),
            ("mfu", utilization.mfu),
            ("hfu_star", utilization.hfu_star),
            ("hfu", utilization.hfu),
        ] {
            let printed = number(column);
            assert!(
                (computed - printed).abs() <= 1e-4,
                "{column} of {record:?}: computed {computed}, printed {printed}"
            );
        }
        rows += 1;
    }
    assert_eq!(rows, 300);
}
