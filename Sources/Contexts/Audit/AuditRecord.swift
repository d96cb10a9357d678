package import Kernel
import NationalCrypto

package typealias AuditRecordID = ID<AuditRecord>

/// One line of the log as it is kept.
package struct AuditRecord: Sendable, Hashable {
  package var id: AuditRecordID
  package var at: Instant
  package var actor: PersonID?
  package var organisation: OrganisationID?
  package var action: String
  package var subjectKind: String
  package var subject: String
  package var grant: String?
  package var digest: [UInt8]
  /// What people read of it; nil once it was erased.
  package var payload: AuditPayload?
  /// Its place in the tree; nil until the sequencer came by.
  package var leaf: Int?
}

/// The part of a record that can be erased: names and details.
package struct AuditPayload: Sendable, Hashable {
  package var actorName: String
  package var organisationName: String
  package var onBehalfOf: String?
  package var subjectName: String
  package var detail: [Pair]

  /// The detail of every record that was made with an application token: what the token is called.
  static let tokenDetail = "withToken"

  package struct Pair: Sendable, Hashable {
    package var name: String
    package var value: String
  }

  /// One line a part, each escaped, in a fixed order: the same payload has one spelling only.
  var encoded: String {
    var lines = [
      "actor\t" + escaped(actorName), "organisation\t" + escaped(organisationName),
      "behalf\t" + escaped(onBehalfOf ?? ""),
      "subject\t" + escaped(subjectName),
    ]
    for pair in detail { lines.append("detail\t" + escaped(pair.name) + "\t" + escaped(pair.value)) }
    return lines.joined(separator: "\n")
  }

  init?(encoded text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(unescaped)
    }
    guard lines.count >= 4, lines.allSatisfy({ $0.count >= 2 }) else { return nil }
    actorName = lines[0][1]
    organisationName = lines[1][1]
    onBehalfOf = lines[2][1].isEmpty ? nil : lines[2][1]
    subjectName = lines[3][1]
    detail = lines[4...].compactMap { $0.count == 3 ? Pair(name: $0[1], value: $0[2]) : nil }
  }

  init(_ entry: AuditEntry) {
    actorName = entry.actor.name
    organisationName = entry.actor.organisationName
    onBehalfOf = entry.actor.onBehalfOf?.text
    subjectName = entry.subjectName
    detail = entry.detail.map { Pair(name: $0.name, value: $0.value) }
    // Last, and the same whatever was done: that it was a program, and by which token of this person's.
    if let token = entry.actor.token { detail.append(Pair(name: Self.tokenDetail, value: token.name)) }
  }
}

/// The digest that becomes a leaf: SM3 over the fixed fields and the salted payload's own digest, so that an erased payload
/// leaves the record provable.
func recordDigest(
  id: AuditRecordID, at: Instant, actor: PersonID?, organisation: OrganisationID?, action: String, subjectKind: String,
  subject: String, grant: String?, payloadDigest: [UInt8]
) -> [UInt8] {
  // `scripts/verify_proof.py` computes the same from a proof.
  var hash = SM3()
  for field in [
    "sanjiang audit 1", id.text, at.description, actor?.text ?? "", organisation?.text ?? "", action, subjectKind,
    subject,
    grant ?? "",
  ] {
    hash.update(escaped(field) + "\n")
  }
  hash.update(payloadDigest)
  return hash.finish().bytes
}

func payloadDigest(_ payload: String, salt: [UInt8]) -> Digest32 {
  var hash = SM3()
  hash.update(salt)
  hash.update(payload)
  return hash.finish()
}

private func escaped(_ text: String) -> String {
  guard text.utf8.contains(where: { $0 == 10 || $0 == 9 || $0 == 92 }) else { return text }
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\n": out += "\\n"
    case "\t": out += "\\t"
    case "\\": out += "\\\\"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out
}

private func unescaped(_ text: Substring) -> String {
  guard text.contains("\\") else { return String(text) }
  var out = ""
  var rest = text.unicodeScalars.makeIterator()
  while let scalar = rest.next() {
    guard scalar == "\\" else {
      out.unicodeScalars.append(scalar)
      continue
    }
    switch rest.next() {
    case "n": out += "\n"
    case "t": out += "\t"
    case let other?: out.unicodeScalars.append(other)
    case nil: break
    }
  }
  return out
}
