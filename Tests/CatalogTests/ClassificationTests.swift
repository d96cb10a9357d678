import Catalog
import Testing

@Suite struct `The national classification` {
  let tree = Classification.embedded

  @Test func `all 6,505 nodes are there and each hangs under its parent`() {
    #expect(tree.count == 6505)
    #expect(tree.children(of: nil).map(\.code) == ["1", "2", "3"])
    #expect(tree.path(to: "3070120337").map(\.name).suffix(2) == ["青海省人民政府", "青海省民政厅"])
    #expect(tree.path(to: "307013101").map(\.code) == ["3", "307", "307013", "307013101"])
    #expect(tree["202"]?.name == "全民住房保障")
    #expect(tree.children(of: "30701203").contains { $0.name == "青海省民政厅" })
    #expect(tree.path(to: "9").isEmpty)
    #expect(tree.name(of: "9") == "9")
  }

  @Test func `a node is found by words of its name or the start of its code`() {
    #expect(tree.search("青海 民政厅").map(\.code) == ["3070120337"])
    #expect(tree.search("3070120337").map(\.code).contains("3070120337"))
    #expect(tree.search("").isEmpty)
    #expect(tree.search("省", limit: 5).count == 5)
  }

  @Test(arguments: [
    "code,parent_code,name\n1,,甲\n12345,1,步长四位\n",
    "code,parent_code,name\n1,,甲\n1,,又一个\n",
    "code,parent_code,name\n1,,甲\n301,3,没有上级\n",
    "code,parent_code,name\n1,,甲\n201,1,不以上级开头\n",
    "code,parent_code,name\n1,,甲\n101,1,\n",
    "code,name\n1,甲\n",
  ])
  func `a broken tree is refused`(text: String) {
    #expect(throws: (any Error).self) { try Classification(version: "t", text: text) }
  }
}

@Suite struct `Resource codes` {
  @Test(arguments: ["3070120337/000017", "1/000001", "202/999999", "202/1000000", "307013101/000001"])
  func `a right code reads and writes the same`(text: String) {
    #expect(ResourceCode(text)?.description == text)
  }

  @Test(arguments: [
    "", "/", "3070120337", "3070120337/", "/000001", "3070120337/17", "3070120337/000000", "4070120337/000001",
    "3070120337/0000017", "3070120337/00001a", "30701x/000001", "3070120337/000001/2", "３/000001",
    "3070120337 /000001", "3070120337/-00001", "3070120337/1234567890123",
  ])
  func `a wrong code is no code`(text: String) {
    #expect(ResourceCode(text) == nil)
  }
}
