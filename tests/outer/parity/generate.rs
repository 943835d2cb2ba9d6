//! Makes Dockerfiles up, out of every odd form that a reader can trip over.

use cachelane::text::BOM;

use super::random::Random;
use super::vocabulary::{
    BETWEEN, BODY, DESCRIPTORS, FLAGS, HEADERS, HEREDOCS, JSON, NAMES, NOT_STRINGS, ODD_FLAGS,
    ODD_HEADERS, ODD_HEREDOCS, ODD_SPACES, ODD_WORDS, OPAQUE, SETTINGS, SPACES, WORDS,
};

/// The file that belongs to `seed`.
pub fn file(seed: u64) -> Vec<u8> {
    let mut writer = Writer {
        random: Random::new(seed),
        file: Vec::new(),
        escape: b'\\',
    };
    if writer.random.chance(6) {
        writer.file.extend(BOM);
    }
    for _ in 0..writer.random.pick(&[0, 0, 0, 1, 1, 1, 2, 3]) {
        writer.header();
    }
    for _ in 0..writer.random.pick(&[0, 1, 2, 3, 4, 5, 6, 7]) {
        writer.instruction();
    }
    let Writer {
        mut random,
        mut file,
        escape,
    } = writer;
    ending(&mut random, &mut file, escape);
    if random.chance(10) {
        insert_odd_bytes(&mut random, &mut file);
    }
    file
}

/// `source` with a few accidental changes.
pub fn mutate(source: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut file = source.to_vec();
    for _ in 0..=random.below(3) {
        let mut lines: Vec<Vec<u8>> = file
            .split_inclusive(|&byte| byte == b'\n')
            .map(Into::into)
            .collect();
        let (a, b) = (random.below(lines.len()), random.below(lines.len()));
        match random.below(8) {
            _ if lines.is_empty() => lines.push(self::file(seed)),
            0 => drop(lines.remove(a)),
            1 => lines.insert(b, lines[a].clone()),
            2 => lines.swap(a, b),
            3 => drop(lines[a].pop()),
            4 => lines[a].splice(0..0, *b"\t").for_each(drop),
            5 => lines.insert(a, self::file(seed)),
            6 => lines.truncate(a + 1),
            _ => insert_odd_bytes(&mut random, &mut lines[a]),
        }
        file = lines.concat();
    }
    let escape = if file.contains(&b'`') && random.chance(50) {
        b'`'
    } else {
        b'\\'
    };
    if random.chance(30) {
        ending(&mut random, &mut file, escape);
    }
    file
}

fn insert_odd_bytes(random: &mut Random, file: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(file.len() + 1);
        let odd = match random.below(4) {
            0 => random.pick(ODD_SPACES),
            1 => random.pick(ODD_WORDS),
            2 => random.pick(&[
                b"\\".as_slice(),
                b"`",
                b"\"",
                b"'",
                b"$",
                b"<<",
                b"#",
                b"\n",
                b"\\\n",
                b"--",
            ]),
            _ => random.pick(FLAGS),
        };
        file.splice(at..at, odd.iter().copied());
    }
}

/// Gives the file its kind of line ends, and sometimes an odd last line.
fn ending(random: &mut Random, file: &mut Vec<u8>, escape: u8) {
    match random.below(20) {
        0 => file.extend([escape]),
        1 => file.extend([escape, b'\n']),
        2 => file.extend([b"RUN a ".as_slice(), &[escape], b"\n# c"].concat()),
        3 => file.extend([b"RUN a ".as_slice(), &[escape], b"\n\n"].concat()),
        4..=7 => drop(file.pop_if(|last| *last == b'\n')),
        _ => {}
    }
    let style = random.below(10);
    if style < 3 {
        let lines: Vec<Vec<u8>> = file.split(|&byte| byte == b'\n').map(Into::into).collect();
        let ends: &[&[u8]] = if style < 2 {
            &[b"\r\n"]
        } else {
            &[b"\n", b"\r\n", b"\r\r\n"]
        };
        let mut rest = lines.iter().peekable();
        file.clear();
        while let Some(line) = rest.next() {
            file.extend(line);
            if rest.peek().is_some() {
                file.extend(random.pick(ends));
            }
        }
    }
}

/// Puts a file together.
struct Writer {
    random: Random,
    file: Vec<u8>,
    escape: u8,
}

impl Writer {
    fn line(&mut self, line: &[u8]) {
        self.file.extend(line);
        self.file.push(b'\n');
    }

    fn header(&mut self) {
        let odd = self.random.chance(12);
        let header = self.random.pick(if odd { ODD_HEADERS } else { HEADERS });
        // Given twice, a directive makes BuildKit refuse the file: seldom.
        let twice = self.escape == b'`' && header.ends_with(b"`");
        if twice && self.random.chance(90) {
            return;
        }
        if header.contains(&b'`') && self.random.chance(90) {
            self.escape = b'`';
        }
        self.line(header);
    }

    fn space(&mut self) -> &'static [u8] {
        if self.random.chance(3) {
            self.random.pick(ODD_SPACES)
        } else {
            self.random.pick(SPACES)
        }
    }

    fn instruction(&mut self) {
        let mut line = Vec::new();
        if self.random.chance(10) {
            line.extend(self.space());
        }
        let onbuild = self.random.chance(10);
        if onbuild {
            line.extend(self.random.pick(&[
                b"ONBUILD".as_slice(),
                b"ONBUILD",
                b"ONBUILD",
                b"onBuild",
            ]));
            line.extend(self.space());
        }
        let mut bodies = Vec::new();
        match self.random.below(if onbuild { 70 } else { 85 }) {
            0..45 => self.command(&mut line, &mut bodies),
            45..53 => self.settings(&mut line),
            53..70 => {
                line.extend(self.random.pick(NAMES));
                self.flags(&mut line);
                self.words(&mut line);
            }
            70..78 => line.extend(self.random.pick(OPAQUE)),
            78..81 => line.extend(self.random.pick(&[
                b"# c".as_slice(),
                b" # c",
                b"#",
                b"# escape=`",
                b"# c \\",
                b"\xC2\xA0#",
            ])),
            81..83 => line.extend(self.random.pick(&[
                b"".as_slice(),
                b" ",
                b"\t",
                b"\x0C",
                b"\xE2\x80\x83",
                b"\r",
            ])),
            _ => line.extend(self.random.pick(&[
                b"\\".as_slice(),
                b"`",
                b"\\\\",
                b" \\ ",
                b"\\\x0B",
                b"``",
                b"`\t",
            ])),
        }
        if self.random.chance(35) {
            self.wrap(&mut line);
        }
        self.line(&line);
        self.file.extend(bodies);
    }

    /// RUN, COPY or ADD: in shell form with heredocs, or in JSON form.
    fn command(&mut self, line: &mut Vec<u8>, bodies: &mut Vec<u8>) {
        line.extend(self.random.pick(&[
            b"RUN".as_slice(),
            b"RUN",
            b"RUN",
            b"run",
            b"Run",
            b"COPY",
            b"copy",
            b"ADD",
            b"add",
        ]));
        self.flags(line);
        if self.random.chance(15) {
            line.extend(self.space());
            let json = if self.random.chance(3) {
                self.random.pick(NOT_STRINGS)
            } else {
                self.random.pick(JSON)
            };
            line.extend(json);
            // What follows is for the shell, except to an old parser.
            if self.random.chance(80) {
                return;
            }
        }
        self.words(line);
        for _ in 0..self.random.pick(&[0, 0, 0, 1, 1, 1, 2, 3]) {
            self.heredoc(line, bodies);
            if self.random.chance(40) {
                self.words(line);
            }
        }
    }

    fn flags(&mut self, line: &mut Vec<u8>) {
        for _ in 0..self.random.pick(&[0, 0, 0, 0, 1, 1, 2, 3]) {
            line.extend(self.space());
            let flag = if self.random.chance(12) {
                self.random.pick(ODD_FLAGS)
            } else {
                self.random.pick(FLAGS)
            };
            line.extend(flag);
        }
    }

    fn words(&mut self, line: &mut Vec<u8>) {
        for _ in 0..self.random.below(4) {
            line.extend(self.space());
            let word = if self.random.chance(8) {
                self.random.pick(ODD_WORDS)
            } else {
                self.random.pick(WORDS)
            };
            line.extend(word);
        }
        if self.random.chance(5) {
            line.extend(self.space());
        }
    }

    fn settings(&mut self, line: &mut Vec<u8>) {
        let env = self.random.chance(50);
        line.extend(self.random.pick(if env {
            &[b"ENV", b"env", b"ENV"]
        } else {
            &[b"ARG", b"arg", b"Arg"]
        }));
        if self.random.chance(10) {
            self.flags(line);
        }
        if env && self.random.chance(25) {
            line.extend(self.random.pick(&[
                b" A".as_slice(),
                b"  B",
                b"\tC.c",
                b" \"D",
                b" E\x0B",
            ]));
            self.words(line);
            return;
        }
        for _ in 0..self.random.below(5) {
            line.extend(self.space());
            let setting = self.random.pick(SETTINGS);
            line.extend(setting);
            if env && !setting.contains(&b'=') {
                line.extend(b"=1");
            }
        }
    }

    /// Adds a word that opens a heredoc, as a rule, and its body.
    fn heredoc(&mut self, line: &mut Vec<u8>, bodies: &mut Vec<u8>) {
        let odd = self.random.chance(10);
        let (name, end) = self.random.pick(if odd { ODD_HEREDOCS } else { HEREDOCS });
        let chomp = self.random.chance(30);
        line.extend(self.space());
        if self.random.chance(3) {
            line.extend(
                self.random
                    .pick(&[b"a".as_slice(), b"(", b"'b'", b"$x", b"\\", b"\\ "]),
            );
        }
        line.extend(self.random.pick(DESCRIPTORS));
        line.extend(if chomp { b"<<-".as_slice() } else { b"<<" });
        line.extend(name);
        if self.random.chance(3) {
            line.extend(
                self.random
                    .pick(&[b"a".as_slice(), b")", b"''", b"\"b\"", b"\\", b"$x"]),
            );
        }
        for _ in 0..self.random.below(3) {
            bodies.extend(self.random.pick(BODY));
            bodies.push(b'\n');
        }
        if end.is_empty() && self.random.chance(90) || self.random.chance(1) {
            return;
        }
        if chomp && self.random.chance(50) {
            bodies.extend(self.random.pick(&[b"\t".as_slice(), b"\t\t"]));
        }
        bodies.extend(end);
        bodies.extend(
            self.random
                .pick(&[b"".as_slice(), b"", b"", b"", b"", b"\r", b"\r\r"]),
        );
        bodies.push(b'\n');
    }

    /// Breaks `line` at a few places, be they inside a word, a quote or a character.
    fn wrap(&mut self, line: &mut Vec<u8>) {
        for _ in 0..=self.random.below(3) {
            let at = self.random.below(line.len() + 1);
            let mut broken = line.split_off(at);
            line.push(self.escape);
            if self.random.chance(10) {
                line.push(self.escape);
            }
            line.extend(self.random.pick(&[
                b"".as_slice(),
                b"",
                b"",
                b" ",
                b"\t ",
                b"\r",
                b"\x0B",
            ]));
            line.push(b'\n');
            for _ in 0..self.random.pick(&[0, 0, 0, 1, 2]) {
                line.extend(self.random.pick(BETWEEN));
                line.push(b'\n');
            }
            line.extend(self.random.pick(&[b"".as_slice(), b"", b"  ", b"\t"]));
            line.append(&mut broken);
        }
    }
}
