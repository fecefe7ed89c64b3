//! Two files beside each other, as `diff -y` shows them.

/// A tab reaches to the next multiple of this.
const TAB: usize = 8;
/// At least so much stands between the columns.
const GUTTER: usize = 3;

pub(super) struct Columns {
    pub(super) width: usize,
    pub(super) expand: bool,
    /// Whether lines that are in both are left out.
    pub(super) changed_only: bool,
}

struct Sheet<'a> {
    columns: &'a Columns,
    /// How wide a column is, and where the second one begins.
    half: usize,
    second: usize,
    out: Vec<u8>,
}

impl Columns {
    /// Both files, with these changes in the way of plain `diff`.
    pub(super) fn side_by_side(&self, (left, right): (&[u8], &[u8]), changes: &[u8]) -> Vec<u8> {
        let lines =
            |text: &'_ [u8]| text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (left, right) = (lines(left), lines(right));
        let tab = if self.expand { 1 } else { TAB };
        let off = self.width / 2 + (tab + GUTTER) / 2 + (self.width & (tab + GUTTER) & 1);
        let off = off - off % tab;
        let half = off.saturating_sub(GUTTER).min(self.width.saturating_sub(off));
        let second = if half > 0 { off } else { self.width };
        let mut sheet = Sheet { columns: self, half, second, out: Vec::new() };
        let (mut at, mut beside) = (0, 0);
        for (from, to) in changes.split(|byte| *byte == b'\n').filter_map(change) {
            sheet.common(&left[at..from.0], &right[beside..to.0]);
            let (gone, new) = (&left[from.0..from.1], &right[to.0..to.1]);
            for place in 0..gone.len().max(new.len()) {
                match (gone.get(place), new.get(place)) {
                    (Some(gone), Some(new)) => sheet.row(Some(gone), b'|', Some(new)),
                    (Some(gone), None) => sheet.row(Some(gone), b'<', None),
                    (None, new) => sheet.row(None, b'>', new.map(Vec::as_slice)),
                }
            }
            (at, beside) = (from.1, to.1);
        }
        sheet.common(&left[at..], &right[beside..]);
        sheet.out
    }
}

/// From which line on and up to which, of the first file and of the second.
type Change = ((usize, usize), (usize, usize));

/// What a line like `2,3c4` says.
fn change(line: &[u8]) -> Option<Change> {
    let line = std::str::from_utf8(line).ok().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))?;
    let at = line.find(['a', 'c', 'd'])?;
    let range = |text: &str, empty: bool| {
        let (first, last) = text.split_once(',').unwrap_or((text, text));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        // What is empty stands behind the line that is named.
        Some(if empty { (first, first) } else { (first.saturating_sub(1), last) })
    };
    Some((range(&line[..at], &line[at..=at] == "a")?, range(&line[at + 1..], &line[at..=at] == "d")?))
}

impl Sheet<'_> {
    fn common(&mut self, left: &[Vec<u8>], right: &[Vec<u8>]) {
        if !self.columns.changed_only {
            for (left, right) in left.iter().zip(right) {
                self.row(Some(left), b' ', Some(right));
            }
        }
    }

    fn row(&mut self, left: Option<&[u8]>, sign: u8, right: Option<&[u8]>) {
        let (mut at, mut ended) = (0, right.is_some_and(|line| line.ends_with(b"\n")));
        if let Some(left) = left {
            ended |= left.ends_with(b"\n");
            at = self.half_line(left, 0);
        }
        if sign != b' ' {
            let place = (self.half + self.second).saturating_sub(1) / 2;
            self.reach(at, place);
            at = place.max(at) + 1;
            self.out.push(match (sign, left, right) {
                (b'|', Some(left), Some(right)) => match (left.ends_with(b"\n"), right.ends_with(b"\n")) {
                    (true, false) => b'/',
                    (false, true) => b'\\',
                    _ => b'|',
                },
                _ => sign,
            });
        }
        if let Some(right) = right.filter(|right| *right != b"\n") {
            self.reach(at, self.second);
            self.half_line(right, self.second);
        }
        if ended {
            self.out.push(b'\n');
        }
    }

    /// Goes on to a place, with tabs where they reach.
    fn reach(&mut self, mut from: usize, to: usize) {
        if !self.columns.expand {
            while from < to && from + TAB - from % TAB <= to {
                self.out.push(b'\t');
                from += TAB - from % TAB;
            }
        }
        self.out.extend(std::iter::repeat_n(b' ', to.saturating_sub(from)));
    }

    /// As much of a line as fits into a column; where it ends.
    fn half_line(&mut self, line: &[u8], indent: usize) -> usize {
        let (mut read, mut written) = (0, 0);
        for character in String::from_utf8_lossy(line).trim_end_matches('\n').chars() {
            if character != '\t' {
                if read < self.half {
                    self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    written = read + 1;
                }
                read += 1;
                continue;
            }
            let stop = read + TAB - read % TAB;
            if read == written {
                if self.columns.expand {
                    let end = stop.min(self.half);
                    self.out.extend(std::iter::repeat_n(b' ', end.saturating_sub(written)));
                    written = end.max(written);
                } else if stop < self.half {
                    self.out.push(b'\t');
                    written = stop;
                }
            }
            read = stop;
        }
        indent + written
    }
}
