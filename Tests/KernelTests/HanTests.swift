import Kernel
import Testing

@Suite struct HanTests {
  @Test(arguments: [("統", "统"), ("醫", "医"), ("乾", "干"), ("青", "青"), ("A", "A"), ("！", "！"), ("𠮷", "𠮷")])
  func `a traditional character folds into its simplified form and stays there`(given: String, folded: String) throws {
    let scalar = try #require(given.unicodeScalars.first)
    let once = Han.simplified(scalar)
    #expect(String(once) == folded)
    #expect(Han.simplified(once) == once)
  }

  @Test(arguments: [("青", "q"), ("海", "h"), ("企", "q"), ("證", "z"), ("证", "z")] as [(String, Character)])
  func `a character has the initial of its usual reading`(given: String, initial: Character) throws {
    #expect(Han.initial(try #require(given.unicodeScalars.first)) == initial)
  }

  @Test func `what is no Chinese character has no initial`() {
    for scalar in "a1，é𠮷".unicodeScalars { #expect(Han.initial(scalar) == nil) }
  }
}
