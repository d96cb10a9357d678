import Foundation
import Storage
import TestKit
import Testing
import Web

@testable import App

/// Attachments of an entry by program, through the real site.
@Suite struct AttachmentsProgramTests {
  @Test(arguments: Engine.allCases)
  func `a file is attached as it is, read by those who may, and removed while the version is written`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, _, _, _ in
      try await withSite(node) { base in
        let officer = try await InterfaceClient("ma.officer", base)
        let made = try await officer.send("POST", "catalog/drafts", entryBody("企业歇业名单"))
        let id = try #require(made.json["id"]?.string, "\(made.json.text)")
        let path = "catalog/resources/\(id)/attachments"
        func add(_ name: String, _ body: String, type: String = "application/octet-stream") async throws
          -> InterfaceClient.Answer
        {
          let name = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
          return try await officer.send("POST", path + "?name=\(name)&note=%E4%BE%9D%E6%8D%AE", body, type: type)
        }
        let kept = try await add("依据.txt", "《条例》第三条")
        #expect(kept.status == 201, "\(kept.json.text)")
        #expect(try await officer.faults(kept, "post", "catalog/resources/{id}/attachments") == [])
        let file = try #require(kept.json["id"]?.string)
        #expect(try await add("依据.txt", "{}", type: "application/json").status == 415)
        #expect(try await add("程序.exe", "MZ").status == 422)
        #expect(try await add("", "甲").pointers == ["/name"])
        let listed = try await officer.get(path + "?version=1")
        #expect(listed.json["attachments"]?.array?.map { $0["note"]?.string } == ["依据"])
        let bytes = try await officer.visitor.get("/api/v1/\(path)/\(file)?version=1")
        #expect(bytes.status == 200 && bytes.text == "《条例》第三条")
        #expect(bytes.headers["content-disposition"]?.contains("attachment") == true)

        for (name, note, status) in [("依据.txt", "依据", 201), ("别名.txt", "依据", 409), ("依据.txt", "另写", 409)] {
          let query = "?name=\(percentEncoded(name))&note=\(percentEncoded(note))"
          let same = try await officer.send(
            "POST", path + query, "《条例》第三条", type: "application/octet-stream")
          #expect(same.status == status, "\(name) \(note)")
        }
        for note in ["\u{202E}据", "\u{7}", "\u{200B}"] {
          let refused = try await officer.send(
            "POST", path + "?name=b.txt&note=\(percentEncoded(note))", "乙", type: "application/octet-stream")
          #expect(refused.status == 422 && refused.pointers == ["/note"])
        }
        #expect(try await add(String(repeating: "长", count: 200) + ".txt", "丙").status == 201, "cut, with its ending")

        let other = try await InterfaceClient("han.officer", base)
        #expect(try await other.get(path + "?version=1").status == 404)
        #expect(try await other.visitor.get("/api/v1/\(path)/\(file)?version=1").status == 404)
        #expect(try await other.send("DELETE", "\(path)/\(file)").status == 404)

        // What is submitted again is not what the reviewer read before, whatever was done in between.
        let chief = try await InterfaceClient("zhang.operator", base)
        let entry = "catalog/resources/\(id)"
        #expect(try await officer.send("POST", entry + "/submit").status == 200)
        let read = try await chief.get(entry + "/draft").etag
        #expect(try await officer.send("POST", entry + "/recall").status == 200)
        #expect(try await add("另附.txt", "丁").status == 201)
        #expect(try await officer.send("POST", entry + "/submit").status == 200)
        let decision = "{\"decision\":\"approve\",\"publish\":true}"
        #expect(try await chief.send("POST", entry + "/review", decision, ["If-Match": read]).status == 412)
        #expect(try await officer.send("POST", entry + "/recall").status == 200)
        #expect(try await officer.send("POST", entry + "/discard", "", ["If-Match": read]).status == 412)

        let gone = try await officer.send("DELETE", "\(path)/\(file)")
        #expect(gone.status == 200 && gone.json["removed"] == .bool(true))
        #expect(try await officer.send("DELETE", "\(path)/\(file)").status == 404)
        let left = try await officer.get(path + "?version=1").json["attachments"]?.array ?? []
        #expect(left.count == 2 && !left.contains { $0["id"]?.string == file })
      }
    }
  }
}
