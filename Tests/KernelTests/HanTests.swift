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

  @Test(arguments: [
    ("青海企证證", "qhqzz"), ("行政执法", "xzzf"), ("银行业务", "yhyw"), ("銀行业", "yhy"), ("行业分类", "hyfl"), ("执行业务", "zxyw"),
    ("西藏藏族冷藏", "xzzzlc"), ("馆藏文物", "gcww"), ("会计师事务所", "kjssws"), ("中国会计学会", "zgkjxh"), ("委员会计划", "wyhjh"),
    ("居委会计生", "jwhjs"), ("长期护理", "cqhl"), ("局长期满", "jzqm"), ("学校长期", "xxcq"), ("重复", "cf"), ("超重复核", "czfh"),
    ("畜牧业", "xmy"), ("畜禽", "cq"), ("调解", "tj"), ("调查", "dc"), ("校验", "jy"), ("给排水", "jps"), ("税率", "sl"), ("行", "x"),
  ])
  func `each character has the initial of the word it stands in`(given: String, initials: String) {
    #expect(Self.initials(given) == initials)
  }

  @Test func `what is no Chinese character has no initial`() {
    #expect(Self.initials("a1，é𠮷银行") == "-----yh")
    #expect(Self.initials("") == "")
  }

  private static func initials(_ text: String) -> String {
    let initials = Han.initials(Array(text.unicodeScalars)[...])
    return String(initials.map { $0.map(Character.init) ?? "-" })
  }
}
