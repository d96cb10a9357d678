internal import CCurl
package import Connecting
import Kernel

/// Asks one web service and tells it things, request by request over a kept connection.
package final class WebClient {
  package struct Answer: Sendable {
    package var status: Int
    /// Names in small letters.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
      self.status = status
      self.headers = headers
      self.body = body
    }

    package func header(_ name: String) -> String? { headers.last { $0.name == name }?.value }
  }

  private let session: RemoteSession

  package init(_ limits: RemoteLimits = RemoteLimits(), cancellation: RemoteCancellation? = nil) {
    session = RemoteSession(limits, cancellation: cancellation)
  }

  /// `headers` as `Name: value`. Any status is an answer; redirects are not followed.
  package func get(_ address: RemoteAddress, headers: [String]) throws(ConnectorError) -> Answer {
    var request = RemoteSession.Request(address: address)
    request.headers = headers
    // Every coding that libcurl can undo; what it comes to is bounded, not what it was.
    request.options = { $0.text(CURLOPT_ACCEPT_ENCODING, "") }
    return try answer(to: request)
  }

  /// Sends `body`, which may reach the service twice where a kept connection turns out to be dead. Else as `get`.
  package func post(
    _ address: RemoteAddress, headers: [String], body: [UInt8]
  ) throws(ConnectorError) -> Answer {
    var request = RemoteSession.Request(address: address)
    request.headers = headers
    request.options = { options in
      options.text(CURLOPT_ACCEPT_ENCODING, "")
      options.posted(body)
    }
    return try answer(to: request)
  }

  private func answer(to request: RemoteSession.Request) throws(ConnectorError) -> Answer {
    let (answer, body) = try session.bytes(request)
    return Answer(status: answer.status, headers: answer.headers, body: body)
  }
}
