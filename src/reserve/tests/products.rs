//! Several products held against each other, and what is said of what each sells.

use super::{answer, answer_to};
use crate::quantity::display_whole;
use crate::report::{Answer, Bookings};
use crate::reserve::{Booking, Change, Reservation, ReserveError, Role};

/// A run of days on machines that two products sell, one of which needs a start.
fn two_products(ask: &str) -> Result<Reservation, ReserveError> {
    answer_to(&format!(
        "model = \"gpt-3b\"\ntokens = \"60B\"\ncluster = \"p4d.24xlarge\"\n[reserve]\n{ask}"
    ))
}

fn refusal(answer: Result<Reservation, ReserveError>) -> (String, String) {
    match answer {
        Err(
            ReserveError::NotSold { message, help } | ReserveError::NotEnough { message, help },
        ) => (message, help.join("\n")),
        other => panic!("{other:?}"),
    }
}

/// What a booking is called over the whole answer no other is more so, and the one to recommend
/// comes first.
#[test]
fn roles_hold_over_the_whole_answer_and_the_best_comes_first() {
    let is = |booking: &&Booking, role: Role| booking.overall_roles.contains(&role);
    let cost = |booking: &Booking| booking.cost_usd.unwrap().expected;
    let start = "start = \"2027-01-11T09:00Z\"\n";
    let by = two_products(&format!("{start}deadline = \"2027-02-20\"\n")).unwrap();
    assert_eq!(by.bookings.len(), 3);
    assert!(by.bookings.is_sorted_by(|a, b| cost(a) <= cost(b)));
    let cheapest = by.bookings.iter().filter(|b| is(b, Role::Cheapest)).count();
    assert_eq!((cheapest, is(&&by.bookings[0], Role::Cheapest)), (1, true));
    for booking in by.bookings.iter().filter(|b| is(b, Role::Smallest)) {
        assert_eq!(booking.booked_nodes, 1);
    }
    // Within its product each keeps what it is the best at.
    let own = by
        .bookings
        .iter()
        .filter(|b| b.roles.contains(&Role::Cheapest));
    assert_eq!(own.count(), 2);
    let within = two_products(&format!("{start}budget = 9000\n")).unwrap();
    let fastest = within.bookings.iter().filter(|b| is(b, Role::Fastest));
    assert_eq!((within.bookings.len(), fastest.count()), (2, 1));
    assert!(within.bookings[0].needed_h < within.bookings[1].needed_h);
}

#[test]
fn a_product_that_needs_a_start_is_told_how_to_be_considered() {
    let hints = |ask: &str| two_products(ask).unwrap().hints;
    assert_eq!(
        hints("deadline = \"40d\"\n"),
        ["give `--start DATE` to have EC2 Capacity Block considered"]
    );
    assert!(hints("deadline = \"40d\"\nstart = \"2027-01-11\"\n").is_empty());
}

/// A budget is held against what suffices, which the refusal names as such.
#[test]
fn a_budget_is_held_against_what_suffices() {
    let booking = two_products("budget = 9000\n").unwrap().bookings.remove(0);
    let (most, cost) = (booking.committed_usd.unwrap(), booking.cost_usd.unwrap());
    assert!(cost.expected < most && most <= 9000.0, "{most} {cost:?}");
    let (_, help) = refusal(two_products("budget = 7000\n"));
    let told = "the cheapest booking takes up to $8,167 with probability 0.9";
    assert!(help.contains(told), "{help}");
}

/// Nobody takes such nodes away: a run that isn't done by the end of its window is paid for until it
/// is, as `plan` and `compare` have it.
#[test]
fn what_is_billed_as_used_is_billed_until_the_run_is_done() {
    let booking = answer(
        "cluster = \"a2-highgpu-8g\"\n[reserve]\nproduct = \"on-demand\"\nnodes = 8\n\
         probability = 0.55\n",
    );
    let booking = booking.unwrap().bookings.remove(0);
    assert!(booking.run_h.high > booking.booked_h);
    assert_eq!(booking.billed_h, booking.run_h);
    let (cost, planned) = (
        booking.cost_usd.unwrap(),
        booking.candidate.cost_usd.unwrap(),
    );
    for (booked, planned) in [
        (cost.low, planned.low),
        (cost.expected, planned.expected),
        (cost.high, planned.high),
    ] {
        assert!(
            (booked / planned - 1.0).abs() < 1e-9,
            "{cost:?} {planned:?}"
        );
    }
    assert!(booking.candidate.checkpoint_interval_s.is_some());
    assert_eq!(booking.last_checkpoint_h, None);
}

fn half_hours(step: &str, nodes: u64) -> Booking {
    let job = format!(
        "model = \"gpt-1b\"\ntokens = \"1B\"\ncluster = \"r7z2\"\n[products.half]\n\
         lengths = [{{ step = \"{step}\", up_to = \"30d\" }}]\n\
         [reserve]\nproduct = \"half\"\nnodes = {nodes}\nstart = \"2026-12-01T09:00Z\"\n"
    );
    answer_to(&job).unwrap().bookings.remove(0)
}

#[test]
fn a_length_is_ordered_in_units_that_it_is_a_whole_number_of() {
    let length = |booking: &Booking| {
        let field = &booking.in_words.fields[4];
        (field.name.clone(), field.value.clone())
    };
    assert_eq!(
        length(&half_hours("90m", 2)),
        ("minutes".into(), "90".into())
    );
    assert_eq!(length(&half_hours("30m", 4)), ("hours".into(), "1".into()));
}

/// Nineteen nodes share the batch worse than eighteen: they are later done, and dearer.
#[test]
fn more_nodes_are_offered_where_they_help() {
    let job = "model = \"gpt-70b\"\ntokens = \"1.5T\"\ncluster = \"bm.gpu.a100-v2.8\"\n\
               [reserve]\nproduct = \"on-demand\"\nnodes = 18\n";
    let booking = answer_to(job).unwrap().bookings.remove(0);
    let more = booking.steps.iter().find(|s| s.change == Change::MoreNodes);
    let more = more.unwrap();
    assert_eq!(more.nodes, 21);
    assert!(more.booked_h < booking.booked_h, "{more:?}");
}

#[test]
fn a_product_that_sells_too_few_nodes_says_so() {
    let capped = |ask: &str, search: &str| {
        refusal(answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"100B\"\ncluster = \"big\"\n[clusters.big]\n\
             gpu = \"a100-80gb\"\ngpus_per_node = 8\nmax_gpus = 1024\ninter_node_gbps = 1600\n\
             [products.cap]\nlengths = [{{ step = \"1d\", up_to = \"30d\" }}]\nmax_nodes = 64\n\
             [reserve]\nproduct = \"cap\"\nstart = \"2026-12-01\"\n{ask}{search}"
        )))
    };
    let (message, help) = capped("deadline = \"30d\"\n", "[search]\ngpus = 1024\n");
    assert!(
        message.contains("128 nodes are more than the 64"),
        "{message}"
    );
    assert_eq!(help, "train on at most 64 nodes (`--gpus`)");
    // The spares are those of the nodes asked for, and what to change is what was set.
    let (message, help) = capped("nodes = 64\n", "");
    assert!(message.contains("67 nodes, 3 of them spares"), "{message}");
    assert!(help.contains("train on fewer `--nodes`"), "{help}");
    let (_, help) = capped("deadline = \"30d\"\n", "[search]\ngpus = 512\n");
    assert!(help.contains("train on fewer `--gpus`"), "{help}");
}

#[test]
fn a_deadline_in_minutes_keeps_them() {
    let (message, help) = refusal(two_products("deadline = \"31m\"\n"));
    assert!(message.contains("within 31 min"), "{message}");
    assert!(help.contains("only 31 min are left"), "{help}");
}

#[test]
fn tokens_are_told_in_few_digits() {
    let (message, _) = refusal(answer_to(
        "model = \"gpt-3b\"\ntokens = 51700000000\ncluster = \"p4d.24xlarge\"\n\
         [reserve]\ndeadline = \"1h\"\n",
    ));
    assert!(message.contains("finishes 51.7B tokens"), "{message}");
}

/// Beside a booking without a price none is the cheapest, and the answer says why.
#[test]
fn what_has_no_price_is_not_compared_by_cost() {
    let clusters = |names: &str| {
        format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = {names}\n\
             [clusters.lab]\ngpu = \"a100-80gb\"\ngpus_per_node = 8\nmax_gpus = 256\n\
             inter_node_gbps = 1600\n[reserve]\ndeadline = \"25d\"\nstart = \"2026-12-01\"\n"
        )
    };
    let said = |names: &str| {
        let found = answer_to(&clusters(names)).unwrap();
        let mut bookings = found.bookings.iter();
        let cheapest = bookings.any(|booking| booking.overall_roles.contains(&Role::Cheapest));
        let text = format!(
            "{:?}",
            Bookings {
                reservation: &found
            }
            .document()
        );
        (cheapest, text.contains("not compared with the others: lab"))
    };
    assert_eq!(said("[\"lab\", \"p4d\"]"), (false, true));
    assert_eq!(said("[\"p4d\"]"), (true, false));
    assert_eq!(said("[\"lab\"]"), (true, false));
}

/// A price had for years of commitment is no cheaper than one that binds one to nothing.
#[test]
fn a_commitment_comes_after_what_binds_to_nothing() {
    let found = answer_to(
        "model = \"gpt-7b\"\ntokens = \"134B\"\nclusters = [\"a2-highgpu-8g\", \"p4d\"]\n\
         price_type = \"commit-3y\"\n[reserve]\ndeadline = \"25d\"\nstart = \"2026-12-01\"\n",
    )
    .unwrap();
    let committed = |booking: &&Booking| {
        let price = booking.price.as_ref();
        price.is_some_and(|price| price.price_type == "commit-3y")
    };
    let priced = found.bookings.iter().filter(|b| b.price.is_some());
    let first_bound = priced
        .clone()
        .position(|booking| committed(&booking))
        .unwrap();
    assert!(first_bound > 0);
    assert!(
        priced
            .clone()
            .skip(first_bound)
            .all(|booking| committed(&booking))
    );
    for booking in priced.filter(committed) {
        assert!(!booking.overall_roles.contains(&Role::Cheapest));
        assert!(booking.cancel.contains("a commitment of 3 years"));
        let usd = booking.price.as_ref().unwrap().usd_per_gpu_hour;
        let in_all = display_whole(usd * booking.booked_gpus as f64 * 26_280.0);
        let told = format!(
            "to pay about ${in_all}: {} nodes for 26,280 h",
            booking.booked_nodes
        );
        let says = |note: &String| note.contains(&told);
        assert!(booking.notes.iter().any(says), "{told} {:?}", booking.notes);
    }
}

/// Where use is billed, a step away is a booking of its own: its hours, its end and its cost.
#[test]
fn a_step_away_of_hours_as_used_has_its_own_hours() {
    let of = |goal: &str| {
        answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"p4d\"\n\
             [reserve]\nproduct = \"on-demand\"\nstart = \"2026-12-01\"\n{goal}"
        ))
        .unwrap()
        .bookings
    };
    for goal in ["deadline = \"21d\"\n", "budget = \"45k\"\n"] {
        let steps = of(goal).into_iter().flat_map(|booking| booking.steps);
        let mut seen = 0;
        for step in steps {
            let own = &of(&format!("nodes = {}\n", step.nodes))[0];
            let told = (step.booked_h, step.end.as_ref(), step.cost_usd);
            let cost = own.cost_usd.map(|cost| cost.expected);
            assert_eq!(told, (own.booked_h, own.end.as_ref(), cost), "{step:?}");
            seen += 1;
        }
        assert!(seen > 0, "{goal}");
    }
}

/// Nodes that a product adds to make up its multiples stand in for those that fail, as any spares.
#[test]
fn nodes_sold_besides_are_spares() {
    let booked = |multiple: u64, spares: u64| {
        let job = format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"r1z1\"\n[products.mine]\n\
             lengths = [{{ step = \"1h\" }}]\ngpu_multiple = {multiple}\n[reserve]\n\
             product = \"mine\"\nnodes = 18\n[reliability]\nspares = {spares}\n"
        );
        answer_to(&job).unwrap().bookings.remove(0)
    };
    let (added, asked, none) = (booked(32, 0), booked(8, 2), booked(8, 0));
    for booking in [&added, &asked] {
        assert_eq!((booking.nodes, booking.spares), (18, 2));
    }
    assert_eq!(
        (added.needed_h, added.run_h, added.cost_usd),
        (asked.needed_h, asked.run_h, asked.cost_usd)
    );
    assert!(
        added.needed_h < none.needed_h,
        "{} {}",
        added.needed_h,
        none.needed_h
    );
}

/// What an hour is stated to cost is no price of a block, which has one of its own.
#[test]
fn a_stated_price_is_that_of_hours_and_not_of_whole_bookings() {
    let rates = |own: &str| {
        let answer = answer(&format!(
            "cluster = \"p4d.24xlarge\"\n{own}[reserve]\ndeadline = \"40d\"\n\
             start = \"2026-12-01\"\n"
        ));
        let bookings = answer.unwrap().bookings.into_iter();
        let mut rates: Vec<(String, f64)> = bookings
            .map(|booking| (booking.product, booking.price.unwrap().usd_per_gpu_hour))
            .collect();
        rates.sort_by(|a, b| a.0.cmp(&b.0));
        rates.dedup();
        rates
    };
    let known = rates("");
    let at = |product: &str, usd: f64| (product.to_owned(), usd);
    assert_eq!(known[0], at("ec2-capacity-block", 1.844));
    let stated = [known[0].clone(), at("on-demand", 3.0)];
    let quote = "[[prices]]\ninstance = \"p4d.24xlarge\"\nusd_per_gpu_hour = 3.0\n";
    assert_eq!(rates(quote), stated);
    let dear = format!("{quote}price_type = \"on-demand\"\n");
    assert_eq!(rates(&dear), stated);
    // A price for this plan is that of all of it.
    let all = [at("ec2-capacity-block", 3.0), at("on-demand", 3.0)];
    assert_eq!(rates("usd_per_gpu_hour = 3\n"), all);
}
