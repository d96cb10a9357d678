package import Kernel

// For what is put together from pieces: in a text that stands in both languages each has its own punctuation already.

extension Language {
  package var colon: String { self("：", ": ") }
  package var comma: String { self("，", ", ") }
  package var semicolon: String { self("；", "; ") }
  /// Ends a sentence that another follows.
  package var stop: String { self("。", ". ") }
  /// Between the things of a list.
  package var listing: String { self("、", ", ") }
  package var opening: String { self("（", " (") }
  package var closing: String { self("）", ")") }
}
