//! Measurements: what each reader makes of its columns, put together row by row.

use crate::diagnostic::{Diagnostic, Origin};
use crate::preset::Catalog;

use super::column::Column;
use super::grid::{Cell, Grid};
use super::notes::Notes;
use super::place::Places;
use super::row::Row;
use super::stacks::Stacks;
use super::{
    Measurement, accumulation, batch, count, experts, header, nodes, shape, speed, training,
};

/// Whether rows must tell how fast they went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speed {
    /// They must.
    Told,
    /// They may be still to be measured.
    Open,
}

/// Reads all rows of a grid.
pub(super) fn read_grid(
    (grid, speed): (&Grid, Speed),
    origin: &Origin,
    catalog: &Catalog,
    notes: &mut Notes,
    rows: &mut Vec<Measurement>,
) -> Result<(), Diagnostic> {
    let names_gpu = |at: usize| {
        let cell = grid.rows.first().and_then(|first| first.cells.get(at));
        cell.is_some_and(|cell| catalog.gpu(nodes::split_count(&cell.text).1).is_ok())
    };
    let columns = header::columns(grid, &names_gpu, origin, notes)?;
    let gpus_of_a_node = nodes::gpus_of_a_node(grid, &columns);
    let row = |record| Row {
        header: &grid.header,
        columns: &columns,
        record,
        gpus_of_a_node,
        accumulates_of_all: false,
        origin,
    };
    let accumulates_of_all = accumulation::is_of_all(grid.rows.iter().map(row), catalog, notes);
    let mut places = Places::new(catalog);
    let mut stacks = Stacks::new(catalog);
    for record in &grid.rows {
        let row = Row {
            accumulates_of_all,
            ..row(record)
        };
        rows.push(read(
            &row,
            (speed, catalog),
            (&mut places, &mut stacks),
            notes,
        )?);
    }
    Ok(())
}

fn read(
    row: &Row<'_>,
    (speed, catalog): (Speed, &Catalog),
    (places, stacks): (&mut Places<'_>, &mut Stacks<'_>),
    notes: &mut Notes,
) -> Result<Measurement, Diagnostic> {
    experts::refuse(row, catalog)?;
    training::check(row, notes)?;
    let trained = shape::read(row, catalog, notes)?;
    let (cluster, gpus) = places.cluster(row, notes)?;
    let stack = stacks.stack(row, (&cluster, gpus), notes)?;
    let names_it = |cell: &Cell| cell.text.eq_ignore_ascii_case(&stack.name);
    let stack_told =
        row.cell(Column::Stack).is_some() || row.cell(Column::Precision).is_some_and(names_it);
    let configuration = batch::read(row, gpus, &trained.shape, notes)?;
    places.note_links(row, &cluster, configuration.gpus, notes);
    let shape = count::checked(row, &trained, configuration.seq_len, notes)?;
    let told = speed::read(row, &shape, (&cluster, &stack), &configuration, notes)?;
    let throughput_tok_s = match (told, speed) {
        (Some(told), _) => told,
        (None, Speed::Open) => 0.0,
        (None, Speed::Told) => return Err(speed::missing(row)),
    };
    Ok(Measurement {
        model: trained.model,
        shape,
        cluster,
        stack,
        stack_told,
        configuration,
        throughput_tok_s,
        line: row.line(),
    })
}
