//! The host with real components: those of `tests/guests`, and some made of bytes here.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod cache;
mod databases;
#[cfg(test)]
mod guests;
#[cfg(test)]
mod materializers;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod resume;
