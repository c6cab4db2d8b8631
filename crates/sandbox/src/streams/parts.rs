//! Frames as a server writes them, whole, in parts or broken off.

use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The bytes of a text's frame up to their middle.
pub(crate) fn first_half(text: &str) -> Vec<u8> {
    let frame = Frame::message(text.to_owned(), OpCode::Data(Data::Text), true);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).expect("memory takes all bytes");
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// The frames of a text in so many parts, which may end within a character.
pub(crate) fn parts(text: &str, count: usize) -> Vec<Frame> {
    let size = text.len().div_ceil(count.clamp(1, text.len().max(1)));
    let chunks: Vec<&[u8]> = text.as_bytes().chunks(size.max(1)).collect();
    let last = chunks.len().saturating_sub(1);
    let frame = |(index, chunk): (usize, &&[u8])| {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        Frame::message(chunk.to_vec(), OpCode::Data(kind), index == last)
    };
    chunks.iter().enumerate().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for (text, count, expected) in [("abcdef", 3, 3), ("abcde", 2, 2), ("ab", 9, 2), ("é", 2, 2), ("a", 1, 1)] {
            let frames = parts(text, count);
            assert_eq!(frames.len(), expected, "{text}");
            let whole: Vec<u8> = frames.iter().flat_map(|frame| frame.payload().to_vec()).collect();
            assert_eq!(whole, text.as_bytes());
            assert!(frames.iter().rev().skip(1).all(|frame| !frame.header().is_final));
            assert!(frames[expected - 1].header().is_final);
        }
    }

    #[test]
    fn half_a_frame_is_no_frame() {
        let half = first_half(&"x".repeat(300));
        assert_eq!(half.len(), (4 + 300) / 2);
        assert_eq!(half[..4], [0x81, 126, 1, 44]);
    }
}
