import Kernel
import NationalCrypto
import Storage
import Transfer

/// A receipt as it is kept: what one side says, signed with its office's key (SM2 over the text, GB/T 32918).
///
/// The platform keeps the offices' keys and signs for them when a delivery ends, as it delivers for them: a signature shows
/// that the text is the one that was given then, and whose it is, to anyone who has the office's public key from elsewhere.
package struct SignedReceipt: Hashable, Sendable {
  /// `provider` or `consumer`.
  package var side: String
  /// SM3 of the body.
  package var digest: String
  package var body: String
  /// DER of r and s; nil for a receipt of before there were signatures.
  package var signature: [UInt8]?
  /// The public key, 65 bytes.
  package var key: [UInt8]?

  /// The signature is this key's over this text; nil where there is none.
  package var isValid: Bool? {
    guard let signature, let key else { return nil }
    return SM2.PublicKey(key)?.verifies(signature, of: Array(body.utf8)) ?? false
  }
}

extension Exchange {
  /// Signs what a side says with its office's key.
  func sign(_ receipt: Receipt, for office: OrganisationID, at now: Instant, in tx: any Transaction) throws
    -> SignedReceipt
  {
    let (key, body) = (try officeKey(of: office, at: now, in: tx), receipt.canonicalText)
    return SignedReceipt(
      side: receipt.side.rawValue, digest: receipt.digest, body: body, signature: key.sign(Array(body.utf8)),
      key: key.publicKey.bytes)
  }

  /// The office's key, made when it is first needed.
  private func officeKey(of office: OrganisationID, at now: Instant, in tx: any Transaction) throws -> SM2.PrivateKey {
    let (sealing, context) = (deriveKey(from: nodeKey, use: "signing keys of offices"), office.text)
    func kept() throws -> SM2.PrivateKey? {
      guard let row = try tx.row("SELECT sealed FROM exchange_office_key WHERE organisation = \(office)") else {
        return nil
      }
      guard let key = SM2.PrivateKey(try Sealed.open(row.blob("sealed"), key: sealing, context: context)) else {
        throw StorageError(.decoding, "the signing key of office \(office)")
      }
      return key
    }
    if let key = try kept() { return key }
    let made = SM2.PrivateKey()
    try tx.run(
      """
      INSERT INTO exchange_office_key (organisation, public_key, sealed, made_at)
      VALUES (\(office), \(made.publicKey.bytes), \(Sealed.seal(made.bytes, key: sealing, context: context)), \(now))
      ON CONFLICT (organisation) DO NOTHING
      """)
    // Somebody else may have been faster.
    return try kept() ?? made
  }
}
