//! The provider's words, and the rules that no search is needed to see.

mod held;
mod prices;
mod products;
mod said;
mod used;

use super::{Ask, Booking, InWords, Named, Reservation, ReserveError, reserve};
use crate::job::{JobFile, Request, resolve};
use crate::measure::{MOSAICGPT_2023, read};
use crate::plan::Planner;
use crate::preset::Catalog;
use crate::throughput::Fit;

fn answer(job: &str) -> Result<Reservation, ReserveError> {
    answer_to(&format!("model = \"gpt-1b\"\ntokens = \"26B\"\n{job}"))
}

fn answer_to(job: &str) -> Result<Reservation, ReserveError> {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded()).unwrap();
    let fit = Fit::new("embedded", table.rows).unwrap();
    let (request, ask) = asked_of(job);
    reserve(&Planner::new(&fit), &request, &ask)
}

fn asked_of(job: &str) -> (Request, Ask) {
    let file = JobFile::parse("job.toml", job).unwrap();
    let catalog = file.extend(Catalog::embedded()).unwrap();
    let request = resolve(file.settings, &catalog).unwrap();
    let ask = Ask::new(&request, &catalog, Named::ByFlag).unwrap();
    (request, ask)
}

/// What is said of a job for which nothing that is sold is enough.
fn help_of(job: &str) -> Vec<String> {
    match answer_to(job) {
        Err(ReserveError::NotEnough { help, .. }) => help,
        other => panic!("{other:?} of {job}"),
    }
}

fn words(job: &str) -> InWords {
    answer(job).unwrap().bookings[0].in_words.clone()
}

#[test]
fn each_provider_is_spoken_to_in_its_own_words() {
    let slurm = words(
        "cluster = \"r1z1\"\n[launch]\nname = \"Bob's $(run)\"\npartition = \"a100\"\n\
         [reserve]\nnodes = 4\nstart = \"2026-12-01T09:00Z\"\nusers = \"alice,bob\"\n[reliability]\nspares = 1\n",
    );
    let commands = slurm.commands.unwrap();
    for part in [
        "TZ=UTC scontrol create reservation",
        "ReservationName=bob-s-run",
        "StartTime=2026-12-01T09:00:00",
        "NodeCnt=5",
        "PartitionName=a100",
        "Users=alice,bob",
        "grep -q 'NodeCnt=5 '",
    ] {
        assert!(commands.contains(part), "{part} in {commands}");
    }
    assert!(slurm.to_set.is_empty());
    // What a launch file asks for is what is made, under the name it asks for.
    let named = words(
        "cluster = \"r1z1\"\n[launch]\nconstraint = \"a100_80\"\nreservation = \"my-resv\"\n\
         [reserve]\nnodes = 4\n",
    );
    let commands = named.commands.unwrap();
    for part in [
        "ReservationName=my-resv ",
        "Features=a100_80",
        "show reservation my-resv ",
    ] {
        assert!(commands.contains(part), "{part} in {commands}");
    }
    assert_eq!(named.name.as_deref(), Some("my-resv"));

    let google = words(
        "cluster = \"a2-highgpu-8g\"\n[reserve]\nproduct = \"gcp-calendar\"\nnodes = 4\n\
         start = \"2026-12-01T09:00Z\"\nzone = \"us-central1-a\"\n",
    );
    let commands = google.commands.unwrap();
    for part in [
        "gcloud compute future-reservations create gpt-1b-26-0b",
        "--machine-type=a2-highgpu-8g",
        "--total-count=4",
        "--zone=us-central1-a",
        "--start-time=2026-12-01T09:00:00Z",
        "T09:00:00Z",
        "--reservation-mode=CALENDAR",
        "--planning-status=SUBMITTED",
    ] {
        assert!(commands.contains(part), "{part} in {commands}");
    }

    let amazon = words(
        "cluster = \"p4d\"\n[reserve]\nproduct = \"capacity-block\"\nnodes = 4\n\
         start = \"2026-12-01T09:00Z\"\n",
    );
    let names: Vec<&str> = amazon
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "InstanceType",
            "InstanceCount",
            "CapacityDurationHours",
            "StartDateRange",
            "EndDateRange"
        ]
    );
    assert_eq!(amazon.fields[0].value, "p4d.24xlarge");
    assert_eq!(amazon.fields[3].value, "2026-12-01T11:30:00Z");
    let hours: u64 = amazon.fields[2].value.parse().unwrap();
    assert!(hours.is_multiple_of(24), "{hours}");
    assert!(amazon.fields[4].value.ends_with("T11:30:00Z"));

    let lambda = words("cluster = \"h100-cluster\"\n[reserve]\nproduct = \"lambda\"\nnodes = 1\n");
    assert!(
        lambda.fields.iter().any(|field| field.name == "weeks"),
        "{lambda:?}"
    );
}

#[test]
fn a_run_longer_than_any_booking_is_told_so() {
    let short =
        "cluster = \"r7z2\"\n[products.short]\nlengths = [{ step = \"1h\", up_to = \"2d\" }]\n";
    let job = format!("{short}[reserve]\nproduct = \"short\"\nnodes = 1\n");
    let Err(ReserveError::NotEnough { help, .. }) = answer(&job) else {
        panic!("one node is too slow for two days");
    };
    assert!(
        help.iter()
            .any(|line| line.contains("longest booking, 2 d")),
        "{help:?}"
    );
    assert!(
        help.iter()
            .any(|line| line.contains("tokens would be done in")),
        "{help:?}"
    );
}

#[test]
fn a_chance_of_needing_more_than_the_longest_booking_is_told() {
    let short =
        "cluster = \"r7z2\"\n[products.short]\nlengths = [{ step = \"1h\", up_to = \"5h\" }]\n";
    let job = format!("{short}[reserve]\nproduct = \"short\"\nnodes = 16\nprobability = 0.6\n");
    let booking = &answer(&job).unwrap().bookings[0];
    let chance = booking.probability_in_longest.unwrap();
    assert!((0.6..0.9).contains(&chance), "{chance}");
    let told = format!(
        "with probability {:.2} more than the longest, 5 h",
        1.0 - chance
    );
    assert!(
        booking.notes.iter().any(|note| note.contains(&told)),
        "{told} in {:?}",
        booking.notes
    );
}

#[test]
fn without_a_price_a_booking_has_no_cost_and_a_word_why() {
    let job = "cluster = \"p4de\"\n[reserve]\nproduct = \"capacity-block\"\ndeadline = \"20d\"\n\
               start = \"2026-12-01\"\n";
    let reservation = answer(job).unwrap();
    for booking in &reservation.bookings {
        assert_eq!(booking.cost_usd, None);
        assert_eq!(booking.upfront_usd, None);
        let why = |note: &String| note.contains("no capacity-block price is known");
        assert!(booking.notes.iter().any(why), "{:?}", booking.notes);
    }
    let stated = format!("{job}[[prices]]\ninstance = \"p4de\"\nusd_per_gpu_hour = 2.0\n");
    let booking = &answer(&stated).unwrap().bookings[0];
    let cost = booking.cost_usd.unwrap().expected;
    let expected = booking.booked_gpus as f64 * booking.booked_h * 2.0;
    assert!((cost - expected).abs() < 1e-6 * expected);
    assert_eq!(booking.upfront_usd, Some(cost));
    let stands_in = |note: &String| note.contains("no capacity-block price of p4de.24xlarge");
    assert!(booking.notes.iter().any(stands_in), "{:?}", booking.notes);
}

#[test]
fn on_a_cluster_beyond_counting_any_number_of_nodes_can_be_asked_for() {
    let job = |ask: &str| {
        format!(
            "cluster = \"vast\"\nglobal_batch = \"2G\"\n[clusters.vast]\ngpu = \"a100-80gb\"\n\
             gpus_per_node = 8\nmax_gpus = 1000000\ninter_node_gbps = 1600\n\
             [reserve]\nstart = \"2026-12-01\"\n{ask}\n"
        )
    };
    let weighed = |note: &String| note.contains("7,650 of 122,070 node counts were weighed");
    let asked = answer(&job("nodes = 20001")).unwrap();
    assert_eq!(asked.bookings[0].nodes, 20_001);
    assert!(!asked.bookings[0].notes.iter().any(weighed));
    let free = answer(&job("deadline = \"7d\"")).unwrap();
    assert!(
        free.bookings[0].notes.iter().any(weighed),
        "{:?}",
        free.bookings[0].notes
    );
}

#[test]
fn the_price_asked_for_is_taken_where_hours_are_sold_at_it() {
    let asked = |cluster: &str, product: &str, price_type: &str| {
        let job = format!(
            "cluster = \"{cluster}\"\n{price_type}\n[reserve]\nproduct = \"{product}\"\n\
             deadline = \"20d\"\nstart = \"2026-12-01\"\n"
        );
        answer(&job).unwrap().bookings[0].clone()
    };
    let spot = "price_type = \"spot\"";
    let says = |booking: &Booking, words: &str| {
        let found = booking.notes.iter().filter(|note| note.contains(words));
        found.count()
    };
    let usual = asked("a2-highgpu-8g", "on-demand", "");
    let cheap = asked("a2-highgpu-8g", "on-demand", spot);
    for (booking, usd, interrupted) in [(&usual, 3.673, 0), (&cheap, 1.928, 1)] {
        let cost = booking.cost_usd.unwrap().expected;
        let expected = booking.booked_gpus as f64 * booking.run_h.expected * usd;
        assert!(
            (cost - expected).abs() < 1e-6 * expected,
            "{cost} {expected}"
        );
        assert_eq!(
            says(booking, "interruptions are not in the time"),
            interrupted
        );
    }
    // A block is sold at one kind of price, and says so; what isn't sold as spot has no price.
    let block = asked("p4d.24xlarge", "capacity-block", spot);
    assert_eq!(block.price.as_ref().unwrap().price_type, "capacity-block");
    assert_eq!(says(&block, "the spot price asked for can't be had"), 1);
    let unsold = asked("p4d.24xlarge", "on-demand", spot);
    assert_eq!(unsold.cost_usd, None);
    assert_eq!(says(&unsold, "no spot price is known for p4d.24xlarge"), 1);
    let bound = asked("a2-highgpu-8g", "on-demand", "price_type = \"commit-1y\"");
    assert_eq!(says(&bound, "what that binds one to"), 1);
}

#[test]
fn a_price_that_the_region_rules_out_is_told_with_its_place() {
    let job = "cluster = \"p4d.24xlarge\"\nregion = \"us-east-1\"\n[reserve]\n\
               product = \"capacity-block\"\nstart = \"2026-12-01\"\n";
    let booking = &answer(&format!("{job}deadline = \"20d\"\n"))
        .unwrap()
        .bookings[0];
    assert_eq!(booking.cost_usd, None);
    let note = booking.notes.iter().find(|note| note.contains("no cost"));
    let note = note.unwrap();
    for words in [
        "no capacity-block price is known for p4d.24xlarge in us-east-1",
        "capacity-block $1.844 (aws, us-east-2)",
        "without the region",
    ] {
        assert!(note.contains(words), "{words} in {note}");
    }
    let Err(ReserveError::NotSold { message, help }) = answer(&format!("{job}budget = 20000\n"))
    else {
        panic!("no budget can be kept");
    };
    assert!(message.contains("is known in us-east-1"), "{message}");
    assert!(
        help.iter().any(|line| line.contains("elsewhere")),
        "{help:?}"
    );
}

#[test]
fn old_prices_are_told_with_or_without_dates_and_one_s_own_is_not_old() {
    let notes = |price: &str, start: &str| {
        let job = format!("cluster = \"r7z2\"\n{price}\n[reserve]\ndeadline = \"14d\"\n{start}\n");
        answer(&job).unwrap().bookings[0].notes.join("\n")
    };
    for (start, since) in [
        ("", "2026-07-30, the date of the newest price known"),
        ("start = \"2026-12-01\"", "2026-12-01, the planned start"),
        (
            "start = \"2026-12-01\"\nas_of = \"2026-11-01\"",
            "2026-11-01, the day asked for",
        ),
    ] {
        let notes = notes("", start);
        let old = format!("the price of r7z2 is of 2023-05, more than a year before {since}");
        assert!(notes.contains(&old), "{old} in {notes}");
    }
    let own = notes("usd_per_gpu_hour = 1.9", "start = \"2026-12-01\"");
    assert!(!own.contains("ask for today's"), "{own}");
}

#[test]
fn a_run_that_stalls_is_not_sold() {
    let sold = |interval: &str| {
        answer_to(&format!(
            "model = \"gpt-1b\"\ntokens = \"200B\"\ncluster = \"r7z2\"\n[reserve]\nnodes = 8\n\
             [reliability]\nfailures_per_1000_node_days = 1000\n{interval}"
        ))
    };
    let Err(ReserveError::NotEnough { help, .. }) = sold("checkpoint_interval = \"90d\"\n") else {
        panic!("nothing it does is kept");
    };
    let told = |words: &str| help.iter().any(|line| line.contains(words));
    assert!(
        told("no forecast") && told("--checkpoint-interval"),
        "{help:?}"
    );
    assert!(sold("").is_ok());
}

#[test]
fn a_last_checkpoint_is_one_that_can_be_written() {
    let booking = |reliability: &str| {
        let job = format!("cluster = \"r7z2\"\n[reserve]\nnodes = 8\n[reliability]\n{reliability}");
        answer(&job).unwrap().bookings.remove(0)
    };
    let has = |notes: &[String], words: &str| notes.iter().any(|note| note.contains(words));
    let saved = booking("");
    let last_h = saved.last_checkpoint_h.unwrap();
    assert!(0.0 < last_h && last_h < saved.usable_h);
    assert!(!has(&saved.notes, "upper estimate"), "{:?}", saved.notes);
    let unsaved = booking("failures_per_1000_node_days = 50\ncheckpoint_interval = \"90d\"\n");
    assert_eq!(unsaved.last_checkpoint_h, None);
    assert!(has(&unsaved.notes, "upper estimate"), "{:?}", unsaved.notes);
    let slow = answer_to(
        "model = \"gpt-13b\"\ntokens = \"100M\"\ncluster = \"p4de.24xlarge\"\n\
         [reliability]\nwrite_gb_per_s_node = 0.001\n\
         [reserve]\nnodes = 1\nproduct = \"ec2-capacity-block\"\nstart = \"2026-12-01T11:30Z\"\n",
    );
    let slow = slow.unwrap().bookings.remove(0);
    assert_eq!(slow.last_checkpoint_h, None);
}

#[test]
fn a_part_of_a_last_node_is_none_to_keep_or_book() {
    let booked = |max_gpus: u64, nodes: u64, spares: u64| {
        let job = format!(
            "cluster = \"own\"\n[clusters.own]\ngpu = \"a100-80gb\"\nmax_gpus = {max_gpus}\n\
             inter_node_gbps = 1600\nusd_per_gpu_hour = 2\n[reserve]\nnodes = {nodes}\n\
             [reliability]\nspares = {spares}\n"
        );
        answer(&job).map(|found| found.bookings[0].booked_nodes)
    };
    assert_eq!(booked(16, 1, 1).unwrap(), 2);
    assert_eq!(booked(12, 1, 0).unwrap(), 1);
    assert!(booked(12, 1, 1).is_err());
    assert!(booked(12, 2, 0).is_err());
    // The only node there is may be a part of one.
    assert_eq!(booked(4, 1, 0).unwrap(), 1);
}

#[test]
fn spares_that_make_a_booking_too_large_are_named() {
    let job = "cluster = \"p4d\"\n[reserve]\nproduct = \"capacity-block\"\nnodes = 64\n\
               start = \"2026-12-01\"\n[reliability]\nspares = 1\n";
    let Err(ReserveError::NotSold { message, help }) = answer(job) else {
        panic!("65 nodes are more than one booking has");
    };
    assert!(
        message.contains("65 nodes, one of them the spare,"),
        "{message}"
    );
    assert!(
        help.iter().any(|line| line.contains("`--spares none`")),
        "{help:?}"
    );
}
