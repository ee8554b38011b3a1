//! Folded messages, which the stack misreads, written plainly.

/// Headers whose values have white space around their separators that means nothing, in both forms.
const SEPARATED: [&str; 10] = ["Via", "v", "From", "f", "To", "t", "Contact", "m", "CSeq", "Content-Length"];

/// Unfolds the head of the message in `buffer[..length]`, whose end is at `head`, and takes white space
/// out of it that means nothing (RFC 3261 section 7.3.1). Returns the message's new length, which is
/// not greater.
pub(crate) fn unfold(buffer: &mut [u8], head: usize, length: usize) -> usize {
    let folded = |window: &[u8]| window == b"\r\n " || window == b"\r\n\t";
    if !buffer[..head].windows(3).any(folded) {
        return length;
    }
    let Ok(text) = std::str::from_utf8(&buffer[..head]) else { return length };
    let text = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    let lines: Vec<_> = text.split("\r\n").map(plain).collect();
    let plain = lines.join("\r\n");
    buffer[..plain.len()].copy_from_slice(plain.as_bytes());
    buffer.copy_within(head..length, plain.len());
    plain.len() + length - head
}

fn plain(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) if SEPARATED.iter().any(|known| known.eq_ignore_ascii_case(name.trim())) => {
            format!("{}:{}", name.trim(), tight(value.trim()))
        }
        _ => line.to_owned(),
    }
}

/// `value` without white space around separators, but for that in quotes.
fn tight(value: &str) -> String {
    let separates = |c: char| ";,=/".contains(c);
    let mut out = String::with_capacity(value.len());
    let (mut space, mut quoted, mut escaped) = (false, false, false);
    for c in value.chars() {
        if !quoted && c.is_ascii_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) && !separates(c) && !out.ends_with(separates) {
            out.push(' ');
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfolded(text: &str) -> String {
        let mut buffer = text.as_bytes().to_vec();
        let head = text.find("\r\n\r\n").unwrap() + 4;
        let length = unfold(&mut buffer, head, text.len());
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_folded_head_is_written_plainly() {
        let folded = "A b SIP/2.0\r\nTO :\r\n sip:a@b ;\r\n\ttag = 1\r\nVia: SIP  /   2.0\r\n /UDP\r\n  c;branch = x\r\n\
            From: \"A ; \\\" = B\"  <sip:a@b>\r\nX: a  ;  b\r\n c\r\n\r\nbody\r\n x";
        let plain = "A b SIP/2.0\r\nTO:sip:a@b;tag=1\r\nVia:SIP/2.0/UDP c;branch=x\r\n\
            From:\"A ; \\\" = B\" <sip:a@b>\r\nX: a  ;  b c\r\n\r\nbody\r\n x";
        assert_eq!(unfolded(folded), plain);
        let not_folded = "A b SIP/2.0\r\nTo : a ; b\r\n\r\nbody\r\n x";
        assert_eq!(unfolded(not_folded), not_folded);
    }
}
