//! Makes histories: threads that go on from one another in all the ways that clients know.

use super::world::{Line, START, Thread};

/// A small generator of numbers, the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 8) % sides as u64) as usize
    }

    /// One time in so many.
    pub(super) fn chance(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at + 1));
        }
    }
}

/// Returns threads that fork (same ids), resume (new ids) and start one another, to any depth.
pub(super) fn history(dice: &mut Dice) -> Vec<Thread> {
    let mut threads: Vec<Thread> = Vec::new();
    for number in 0..2 + dice.roll(5) {
        let mut thread = begin(dice, number);
        if !threads.is_empty() && dice.chance(4) {
            thread.parent = Some(threads[dice.roll(threads.len())].id.clone());
        }
        if !threads.is_empty() && !dice.chance(5) {
            let origin = &threads[dice.roll(threads.len())];
            if dice.chance(2) {
                fork(dice, &mut thread, origin);
            } else {
                resume(dice, &mut thread, origin);
            }
            link(dice, &mut thread, origin);
        }
        let copied = thread.lines.len();
        talk(dice, &mut thread);
        let own = thread.lines.len() - copied;
        thread.copied = match dice.chance(3) {
            true => (thread.lines.len(), false),
            false => (copied + dice.roll(own + 1), true),
        };
        threads.push(thread);
    }
    threads
}

fn begin(dice: &mut Dice, number: usize) -> Thread {
    // Numbers count down for some, so that ids do not follow the order of beginnings.
    let id = if dice.chance(2) { format!("t{number}") } else { format!("s{}", 9 - number) };
    Thread {
        input: format!("input-{id}"),
        id,
        parent: None,
        started_at: START + 10_000 * number as i64,
        forked_from: None,
        client: "claude".into(),
        copied: (0, false),
        lines: Vec::new(),
    }
}

/// Begins with the lines of another thread as they are.
fn fork(dice: &mut Dice, thread: &mut Thread, origin: &Thread) {
    thread.lines = origin.lines[..dice.roll(origin.lines.len() + 1)].to_vec();
}

/// Begins with the lines of another thread under new ids, at their own times or all at one.
///
/// Some say that they are copies, some of them are left out, and some have news between them.
fn resume(dice: &mut Dice, thread: &mut Thread, origin: &Thread) {
    thread.lines = origin.lines[..dice.roll(origin.lines.len() + 1)].to_vec();
    if dice.chance(4) {
        thread.lines.iter_mut().for_each(|line| line.is_marked = true);
    }
    if dice.chance(4) && !thread.lines.is_empty() {
        thread.lines.remove(dice.roll(thread.lines.len()));
    }
    if dice.chance(4) && !thread.lines.is_empty() {
        news(dice, thread);
    }
    if dice.chance(4) {
        add(thread);
    }
    let keeps_times = dice.chance(3);
    for line in &mut thread.lines {
        line.message_id = format!("{}-copy{}", thread.id, line.message_index);
        if !keeps_times {
            line.at = thread.started_at;
        }
    }
}

/// Says something more in the last message that is a copy.
fn add(thread: &mut Thread) {
    if let Some(last) = thread.lines.last().cloned() {
        let mut said =
            line(thread, last.message_index, last.at, format!("{} adds this", thread.id), None);
        said.part_index = last.part_index + 1;
        thread.lines.push(said);
    }
}

/// Puts an answer between lines that are copies.
fn news(dice: &mut Dice, thread: &mut Thread) {
    let before = dice.roll(thread.lines.len());
    let index = thread.lines[before].message_index;
    for line in thread.lines.iter_mut().filter(|line| line.message_index >= index) {
        line.message_index += 1;
    }
    let place = thread.lines.partition_point(|line| line.message_index < index);
    let response = Some(format!("response0-{}-news", thread.id));
    let mut said = line(thread, index, thread.started_at + 1, "news".into(), response);
    said.tokens = Some(1);
    thread.lines.insert(place, said);
}

/// Has some threads say where they come from, and some begin at the same moment.
fn link(dice: &mut Dice, thread: &mut Thread, origin: &Thread) {
    match dice.roll(8) {
        0..4 => thread.forked_from = Some(origin.id.clone()),
        // The recording of what was between them is gone.
        4 => thread.forked_from = Some("nobody".to_owned()),
        _ => {}
    }
    // Some clients write the beginning of what is copied out of order.
    match dice.roll(8) {
        0 | 1 => thread.started_at = origin.started_at,
        2 if thread.forked_from.is_some() => thread.started_at = origin.started_at - 5,
        _ => {}
    }
}

/// Goes on with prompts, answers of one or more lines, and prompts that nobody answers.
fn talk(dice: &mut Dice, thread: &mut Thread) {
    let mut index = thread.lines.last().map_or(0, |line| line.message_index + 1);
    let mut at = thread.lines.iter().map(|line| line.at).max().unwrap_or(thread.started_at);
    at = at.max(thread.started_at);
    for turn in 0..1 + dice.roll(4) {
        at += 3;
        // Some prompts are said again and again, by the same person and by others.
        let words = if dice.chance(2) { "go on".into() } else { format!("{} {turn}", thread.id) };
        thread.lines.push(line(thread, index, at, words, None));
        index += 1;
        if dice.chance(3) {
            continue;
        }
        let response = format!("response0-{}-{turn}", thread.id);
        let rows = 1 + dice.roll(3);
        for row in 0..rows {
            at += 2;
            let words = format!("{} answers {turn} {row}", thread.id);
            let mut said = line(thread, index, at, words, Some(response.clone()));
            if row > 0 && dice.chance(3) {
                // A second part of the message before.
                let before = &thread.lines[thread.lines.len() - 1];
                said.message_id.clone_from(&before.message_id);
                said.message_index = before.message_index;
                said.part_index = before.part_index + 1;
                said.at = before.at;
            } else {
                index += 1;
            }
            said.tokens = (row == 0).then_some(rows as u64);
            said.call_id =
                dice.chance(4).then(|| format!("call0000-of-{}-{turn}-{row}", thread.id));
            let answers = said.call_id.clone().filter(|_| dice.chance(2));
            thread.lines.push(said);
            if answers.is_some() {
                let mut result = line(thread, index, at + 1, "done".into(), None);
                result.call_id = answers;
                thread.lines.push(result);
                index += 1;
            }
        }
    }
}

fn line(thread: &Thread, index: i32, at: i64, text: String, response: Option<String>) -> Line {
    // Some folders are left and come back to within a thread.
    let folder = ["/w", "/w/secret", "/w/secret/deep", "/w/secrets"][(at / 3 % 4) as usize];
    Line {
        cwd: folder.to_owned(),
        message_id: format!("{}-m{index}", thread.id),
        message_index: index,
        part_index: 0,
        text,
        response_id: response,
        call_id: None,
        is_marked: false,
        original: None,
        tokens: None,
        at,
    }
}

impl Thread {
    /// Returns the thread as it was when only some of its lines were written.
    pub(super) fn cut(&self, lines: usize) -> Self {
        let mut cut = Self { lines: self.lines[..lines].to_vec(), ..self.clone() };
        if lines < self.copied.0 {
            cut.copied = (lines, false);
        }
        let responses: Vec<_> = cut.lines.iter().map(|line| line.response_id.clone()).collect();
        for line in cut.lines.iter_mut().filter(|line| line.tokens.is_some()) {
            let rows = responses.iter().filter(|response| **response == line.response_id);
            line.tokens = Some(rows.count() as u64);
        }
        cut
    }

    /// Returns the thread as it was read while somebody wrote to it: what stands at its end turned out to be something
    /// else.
    pub(super) fn unfinished(&self, dice: &mut Dice) -> Self {
        let at = dice.roll(self.lines.len() + 1);
        let mut thread = self.cut(at);
        for (number, next) in self.lines[at..].iter().take(1 + dice.roll(2)).enumerate() {
            let mut said = next.clone();
            said.message_id = format!("{}-unfinished{at}-{number}", self.id);
            if dice.chance(2) {
                said.text.push('…');
            }
            if dice.chance(3) {
                said.response_id = None;
            }
            thread.lines.push(said);
        }
        thread
    }

    /// Returns the thread as a component saw it that understood less.
    pub(super) fn misread(&self, dice: &mut Dice) -> Self {
        let mut misread = self.clone();
        for line in &mut misread.lines {
            match dice.roll(7) {
                0 => line.text.push('?'),
                1 => line.response_id = None,
                2 => line.tokens = line.tokens.map(|tokens| tokens + 5),
                3 => line.tokens = None,
                4 => line.at -= 1,
                5 => line.is_marked = !line.is_marked,
                _ => {}
            }
        }
        misread
    }

    /// Returns the thread as it was before its beginning was known.
    pub(super) fn without_beginning(&self) -> Self {
        Self { started_at: self.started_at + 1_000_000, ..self.clone() }
    }
}
