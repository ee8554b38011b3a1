//! Cuts a text into pieces, so that the first is heard while the next are made.

/// The longest piece, in characters: some 13 s of speech.
pub const MAX_PIECE_CHARS: usize = 200;

/// What of `text` is spoken at a time. The first piece has at most `first_chars` characters, and each at most twice as
/// many as the one before: while that is heard, a voice that needs less than half of the time makes the next.
///
/// A piece ends with a sentence if it can, otherwise with a clause, otherwise with a word.
pub fn pieces(text: &str, first_chars: usize) -> Vec<&str> {
    let (mut rest, mut max_chars) = (text.trim(), first_chars);
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(end_of_piece(rest, max_chars));
        pieces.push(piece.trim_end());
        rest = after.trim_start();
        max_chars = (max_chars * 2).min(MAX_PIECE_CHARS);
    }
    pieces
}

/// Where the first piece ends, in bytes.
fn end_of_piece(text: &str, max_chars: usize) -> usize {
    let Some((limit, _)) = text.char_indices().nth(max_chars) else { return text.len() };
    let last = |is_end: fn(char, char) -> bool| {
        let pairs = text.char_indices().zip(text.chars().skip(1)).take_while(|((at, _), _)| *at < limit);
        let ends = pairs.filter(|((_, mark), next)| is_end(*mark, *next));
        ends.last().map(|((at, mark), _)| at + mark.len_utf8())
    };
    last(ends_sentence).or_else(|| last(ends_clause)).or_else(|| last(ends_word)).unwrap_or(limit)
}

const fn ends_sentence(mark: char, next: char) -> bool {
    matches!(mark, '。' | '！' | '？') || matches!(mark, '.' | '!' | '?' | '…') && next.is_whitespace()
}

const fn ends_clause(mark: char, next: char) -> bool {
    matches!(mark, '、' | '，') || matches!(mark, ',' | ';' | ':' | '–' | '—' | ')') && next.is_whitespace()
}

const fn ends_word(_: char, next: char) -> bool {
    next.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_piece() {
        assert_eq!(pieces(" Please wait. Thank you. ", 40), ["Please wait. Thank you."]);
        assert!(pieces(" \n ", 40).is_empty());
    }

    #[test]
    fn a_piece_ends_with_a_sentence_then_a_clause_then_a_word() {
        let text = "One two. Three 4.5 six, seven eight nine ten eleven twelve thirteen";
        assert_eq!(
            pieces(text, 16),
            ["One two.", "Three 4.5 six,", "seven eight nine ten eleven twelve thirteen"]
        );
        assert_eq!(pieces("aaaa bbbb cccc", 6), ["aaaa", "bbbb cccc"]);
    }

    #[test]
    fn pieces_grow_to_the_limit_and_nothing_is_lost() {
        let text = "All our agents are talking to others at the moment. ".repeat(60);
        let pieces = pieces(&text, 40);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&pieces.join(" ")), words(&text));
        assert!(pieces[0].chars().count() <= 40);
        for pair in pieces.windows(2) {
            assert!(pair[1].chars().count() <= MAX_PIECE_CHARS);
        }
        assert!(pieces.len() < 25, "{}", pieces.len());
    }

    #[test]
    fn a_text_without_a_blank_is_cut_all_the_same() {
        assert_eq!(pieces(&"ü".repeat(100), 40), ["ü".repeat(40), "ü".repeat(60)]);
        assert_eq!(
            pieces("お待ちください。只今混み合っております。", 10),
            ["お待ちください。", "只今混み合っております。"]
        );
    }
}
