import Attachments
import Catalog
import Kernel
import Web

/// The material of a request, on its page.
struct MaterialPart {
  let files: [Attachment]
  let attachments: Attachments

  func html(_ request: Request, _ item: ShareRequest, _ refusal: Refusal?) -> HTML {
    let t = request.language
    let mayAdd = request.principal.map { RequestAttaching.mayAdd(item, $0) } ?? false
    guard mayAdd || !files.isEmpty else { return .nothing }
    let here = "/requests/\(item.id)/attachments"
    let isSent = request.method == .post && request.path == here
    let remove: ((Attachment) -> HTML)? =
      mayAdd && RequestAttaching.mayRemove(item)
      ? { file in
        form(
          request, action: here + "/remove", confirm: Text("移除“\(file.name)”？", "Remove “\(file.name)”?"),
          "<input type=\"hidden\" name=\"attachment\" value=\"\(file.id)\">\(button(t("移除", "Remove"), .danger))")
      } : nil
    let add = form(
      request, action: here, upload: true,
      """
      \(attachmentFields(
        t, attachments, such: Text("例如：法定职责依据、委托协议", "such as: the duty by law, an agreement"),
        values: isSent ? request.form : Fields(), faults: isSent ? refusal?.faults ?? [] : []))\
      \(buttons(button(t("添加", "Add"), .plain)))
      """)
    return panel(
      t("申请材料", "Material"), id: "material",
      attachmentsTable(
        t, files, empty: Text("没有材料。依据文件、委托协议可附在这里。", "No material. What the request rests on belongs here."),
        href: { here + "/\($0.id)" }, remove: remove)
        + (mayAdd ? details(t("添加材料", "Add material"), open: isSent && refusal != nil, add) : .nothing))
  }
}
