import Kernel
import Testing

@Suite struct `A name` {
  @Test(arguments: [
    "赵六", "欧阳娜娜", "才让·卓玛", "O’Neil-Smith", "བཀྲ་ཤིས", "ئەنۋەر", "José", "Jose\u{301}", "省市场监管局（筹）", "A 1", "一\u{3000}二",
  ])
  func `is what people are called`(name: String) { #expect(PlainText.wrongName(name, lengths: 1...50) == nil) }

  @Test(arguments: [
    ("", "has 0"), ("\u{3000}\u{3000}", "blanks"), ("   ", "blanks"), ("\u{200B}", "U+200B"),
    ("赵\u{202E}六", "Character 2 (U+202E)"),
    ("\u{2066}赵六\u{2069}", "U+2066"), ("赵六\u{200F}", "U+200F"), ("赵\u{FEFF}六", "U+FEFF"), ("赵\n六", "U+000A"),
    ("赵\0", "U+0000"),
    ("赵\u{AD}六", "U+00AD"), ("\u{3164}", "U+3164"), ("\u{2800}\u{2800}", "U+2800"), ("赵\u{E0001}", "U+E0001"),
    ("赵\u{FE0F}六", "U+FE0F"),
    ("\u{E000}", "U+E000"), ("赵\u{2028}六", "U+2028"), (" 赵六", "begin or end"), ("赵六\u{3000}", "begin or end"),
    ("\u{301}", "blanks"),
    ("a" + String(repeating: "\u{301}", count: 17), "marks"), ("a" + String(repeating: "\u{301}", count: 60), "has 61"),
    (String(repeating: "长", count: 51), "has 51"),
  ])
  func `shows, shows as what it is, and is as long as it looks`(name: String, why: String) {
    let wrong = PlainText.wrongName(name, lengths: 1...50)
    #expect(wrong?.english.contains(why) == true, "\(wrong?.english ?? "accepted")")
    #expect(wrong?.chinese.isEmpty == false)
  }

  @Test(arguments: [
    ("三江", false), ("👩🏽‍👩🏽‍👧🏽‍👦🏽", false), ("བསྒྲུབས", false), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", false), (String(repeating: "é", count: 1000), false),
    ("a" + String(repeating: "\u{301}", count: 15), false), ("a" + String(repeating: "\u{301}", count: 16), true),
    (String(repeating: "\u{1100}", count: 17), true), ("x" + String(repeating: "\u{200D}", count: 30_000), true),
  ])
  func `has no page hidden in one character`(text: String, overloaded: Bool) {
    #expect(PlainText.isOverloaded(text) == overloaded)
  }
}
