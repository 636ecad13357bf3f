//! From throughput to dates and money.
