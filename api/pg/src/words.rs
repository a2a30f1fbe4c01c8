//! Reading a statement's tokens one after another.

use partitura_event::{ErrorClass, Problem};

use crate::lexer::{Kind, Token};

/// The tokens of a statement that were not read yet.
#[derive(Clone, Copy)]
pub struct Words<'s> {
    sql: &'s str,
    tokens: &'s [Token],
}

impl<'s> Words<'s> {
    /// Begins to read.
    pub const fn new(sql: &'s str, tokens: &'s [Token]) -> Self {
        Self { sql, tokens }
    }

    /// Takes the keyword `word`, if it comes next.
    pub fn eat(&mut self, word: &str) -> bool {
        let next = self.tokens.first().is_some_and(|token| token.is(self.sql, word));
        if next {
            self.tokens = &self.tokens[1..];
        }
        next
    }

    /// Takes all of `words`, if they come next in this order.
    pub fn eat_all(&mut self, words: &[&str]) -> bool {
        let before = *self;
        let all = words.iter().all(|word| self.eat(word));
        if !all {
            *self = before;
        }
        all
    }

    /// Takes the sign `sign`, if it comes next.
    pub fn eat_sign(&mut self, sign: u8) -> bool {
        let next = self.tokens.first().is_some_and(|token| token.kind == Kind::Sign(sign));
        if next {
            self.tokens = &self.tokens[1..];
        }
        next
    }

    /// Takes what comes next.
    pub fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    /// Returns what comes next.
    pub fn peek(&self) -> Option<Token> {
        self.tokens.first().copied()
    }

    /// Takes a name; words in small letters.
    pub fn name(&mut self) -> Result<String, Problem> {
        match self.next() {
            Some(token) if matches!(token.kind, Kind::Word | Kind::Name) => Ok(token.value(self.sql)),
            Some(token) => Err(self.unexpected(token, "a name")),
            None => Err(syntax("the statement ends where a name is expected")),
        }
    }

    /// Takes a name with dots.
    pub fn dotted(&mut self) -> Result<String, Problem> {
        let mut name = self.name()?;
        while self.eat_sign(b'.') {
            name.push('.');
            name.push_str(&self.name()?);
        }
        Ok(name)
    }

    /// Returns the text of a token.
    pub fn value(&self, token: Token) -> String {
        token.value(self.sql)
    }

    /// Returns whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Returns what is left, as it was written.
    pub fn rest(&self) -> &'s str {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => &self.sql[first.start..last.end],
            _ => "",
        }
    }

    /// Returns the byte where what is left begins.
    pub fn place(&self) -> usize {
        self.tokens.first().map_or(self.sql.len(), |token| token.start)
    }

    /// Reads up to the parenthesis that closes the one that was read last; returns what stands inside.
    pub fn inside(&mut self) -> Result<&'s str, Problem> {
        let start = self.place();
        let mut depth = 1;
        while let Some(token) = self.next() {
            match token.kind {
                Kind::Sign(b'(') => depth += 1,
                Kind::Sign(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(&self.sql[start..token.start]);
            }
        }
        Err(syntax("a parenthesis is not closed"))
    }

    /// Errors unless nothing is left.
    pub fn end(&self) -> Result<(), Problem> {
        self.peek().map_or(Ok(()), |token| Err(self.unexpected(token, "the end of the statement")))
    }

    /// Reports a token that should be something else.
    pub fn unexpected(&self, token: Token, wanted: &str) -> Problem {
        let before = &self.sql[..token.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        syntax(format!("line {line}, column {column}: expected {wanted}, found {:.40}", token.of(self.sql)))
    }
}

/// Reports a statement that cannot be read.
pub fn syntax(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorClass::Syntax, detail)
}
