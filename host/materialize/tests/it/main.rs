//! What comes of whatever events, however they are cut.

#[cfg(test)]
mod events;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod split;
#[cfg(test)]
mod version;
