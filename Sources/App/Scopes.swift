import Audit
import Catalog
import Census
import Exchange
import Feedback
import FrontNodes
import Identity
import Inventory
import Kernel
import Mounting
import Sharing
import Supervision

extension Node {
  /// What an application token may be limited to, in the order of the spine. Every permission that a role has stands here.
  static let scopes: [Tokens.Scope] = [
    (.readInventory, Text("查看信息系统", "See information systems")),
    (.manageInventory, Text("登记和维护本单位的信息系统", "Register and keep the own office's systems")),
    (.frontNodesRead, Text("查看前置节点", "See front-end nodes")),
    (.frontNodesAsk, Text("申请、签收和退回前置节点", "Ask for, sign for and give back front-end nodes")),
    (.frontNodesManage, Text("审核、分配和回收前置节点", "Review, allot and take back front-end nodes")),
    (.readCatalog, Text("查找和读取目录", "Search and read the catalogue")),
    (.compileCatalog, Text("编制本单位的目录", "Compile the own office's entries")),
    (.reviewCatalog, Text("审核和发布目录", "Review and publish entries")),
    (.readMounting, Text("查看挂接", "See mounts")),
    (.manageMounting, Text("维护本单位的挂接", "Keep the own office's mounts")),
    (.feedbackRaise, Text("提出异议", "Raise objections")),
    (.feedbackSpeak, Text("评分和提问", "Rate and ask")),
    (.feedbackAnswer, Text("答复异议和提问", "Answer objections and questions")),
    (.feedbackCoordinate, Text("协调异议", "Coordinate objections")),
    (.readCensus, Text("查看普查", "See the census")),
    (.fillCensus, Text("填报普查", "Fill in the census")),
    (.runCensus, Text("组织普查", "Run the census")),
    (.sharingRead, Text("查看申请和授权", "See requests and grants")),
    (.sharingRequest, Text("提出共享申请", "Ask for data")),
    (.sharingApproveOwn, Text("审批本单位的申请", "Approve the own office's requests")),
    (.sharingReview, Text("审核申请", "Review requests")),
    (.sharingDecide, Text("答复对本单位数据的申请", "Decide on requests for the own office's data")),
    (.sharingRevoke, Text("撤销和暂停授权", "Revoke and suspend grants")),
    (.exchangeRead, Text("查看交换", "See deliveries")),
    (.exchangeRun, Text("发起交换", "Start deliveries")),
    (.exchangeManage, Text("设置和暂停交换任务", "Set and pause tasks")),
    (.quarantineOpen, Text("查看隔离的数据行", "Open quarantined rows")),
    (.superviseOffice, Text("查看本单位的监督数据", "See the own office's supervision")),
    (.superviseAll, Text("查看全省的监督数据", "See the whole province's supervision")),
    (.superviseAsAuthority, Text("以主管部门身份监督", "Supervise as the competent authority")),
    (.auditReadOwn, Text("查看本单位的日志", "Read the own office's log")),
    (.auditRead, Text("查看全部日志", "Read the whole log")),
    (.peopleRead, Text("查看人员和应用令牌", "See people and application tokens")),
    (.peopleManage, Text("管理人员和应用令牌", "Manage people and application tokens")),
    (.organisationsManage, Text("维护单位", "Keep organisations")),
  ]
}
