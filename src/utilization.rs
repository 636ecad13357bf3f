//! Model and hardware FLOPs utilization, by convention.
