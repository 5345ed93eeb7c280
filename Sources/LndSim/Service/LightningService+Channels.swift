import FoundationEssentials
import GRPCCore
import LightningTypes
import LndRPC
import SwiftProtobuf

extension LightningService {
    func channelBalance(
        request: Lnrpc_ChannelBalanceRequest,
        context: ServerContext
    ) async throws -> Lnrpc_ChannelBalanceResponse {
        let balance = try await world.call { [node] network throws(LndFault) in
            try network.channelBalance(of: node)
        }
        func amount(_ msat: UInt64) -> Lnrpc_Amount {
            .with {
                $0.sat = msat / 1000
                $0.msat = msat
            }
        }
        return .with {
            $0.balance = Int64(balance.localMsat / 1000)
            $0.localBalance = amount(balance.localMsat)
            $0.remoteBalance = amount(balance.remoteMsat)
            $0.unsettledLocalBalance = amount(balance.pendingLocalMsat)
            $0.unsettledRemoteBalance = amount(balance.pendingRemoteMsat)
            $0.pendingOpenLocalBalance = amount(0)
            $0.pendingOpenRemoteBalance = amount(0)
        }
    }

    func listChannels(
        request: Lnrpc_ListChannelsRequest,
        context: ServerContext
    ) async throws -> Lnrpc_ListChannelsResponse {
        var filter = ChannelFilter()
        filter.activeOnly = request.activeOnly
        filter.inactiveOnly = request.inactiveOnly
        filter.publicOnly = request.publicOnly
        filter.privateOnly = request.privateOnly
        filter.peer = Array(request.peer)
        let channels = try await world.call { [node, filter] network throws(LndFault) in
            try network.listChannels(filter, on: node).compactMap { channel in
                channel.end(of: node).map { end in
                    Lnrpc_Channel(
                        channel,
                        seenFrom: end,
                        peer: network.record(of: channel.ends[end.other]),
                        isActive: network.isActive(channel),
                        showsAlias: request.peerAliasLookup
                    )
                }
            }
        }
        return .with { $0.channels = channels }
    }

    func listPayments(
        request: Lnrpc_ListPaymentsRequest,
        context: ServerContext
    ) async throws -> Lnrpc_ListPaymentsResponse {
        var page = PageRequest()
        page.indexOffset = request.indexOffset
        page.maximum = request.maxPayments
        page.isReversed = request.reversed
        page.createdFrom = request.creationDateStart
        page.createdTo = request.creationDateEnd
        let (records, total) = try await world.call { [node, page] network throws(LndFault) in
            let records = try network.listPayments(
                page,
                includeIncomplete: request.includeIncomplete,
                on: node
            )
            return (records, request.countTotalPayments ? network.paymentCount(of: node) : 0)
        }
        return .with {
            $0.payments = records.map { record in
                var payment = Lnrpc_Payment(record)
                if request.omitHops {
                    for index in payment.htlcs.indices { payment.htlcs[index].route.hops = [] }
                }
                return payment
            }
            $0.firstIndexOffset = records.first?.index ?? 0
            $0.lastIndexOffset = records.last?.index ?? 0
            $0.totalNumPayments = total
        }
    }
}

extension Lnrpc_Channel {
    init(
        _ channel: Channel,
        seenFrom end: ChannelEnd,
        peer: NodeRecord,
        isActive: Bool,
        showsAlias: Bool
    ) {
        self.init()
        active = isActive
        remotePubkey = peer.id.hex
        channelPoint = channel.channelPoint
        chanID = channel.id
        capacity = Int64(channel.capacityMsat / 1000)
        localBalance = Int64(channel.balanceMsat[end] / 1000)
        remoteBalance = Int64(channel.balanceMsat[end.other] / 1000)
        unsettledBalance = Int64(
            (channel.pendingMsat.opener + channel.pendingMsat.acceptor) / 1000
        )
        totalSatoshisSent = Int64(channel.sentMsat[end] / 1000)
        totalSatoshisReceived = Int64(channel.sentMsat[end.other] / 1000)
        numUpdates = channel.offered.opener + channel.offered.acceptor
        initiator = end == .opener
        `private` = channel.isPrivate
        chanStatusFlags = "ChanStatusDefault"
        commitmentType = .anchors
        localConstraints = .standard(of: channel)
        remoteConstraints = .standard(of: channel)
        if showsAlias { peerAlias = peer.name }
    }
}

extension Lnrpc_ChannelConstraints {
    static func standard(of channel: Channel) -> Self {
        .with {
            $0.csvDelay = 144
            $0.chanReserveSat = channel.reserveMsat / 1000
            $0.dustLimitSat = 354
            $0.maxPendingAmtMsat = channel.maximumHTLCMsat
            $0.minHtlcMsat = ForwardingPolicy.minimumHTLCMsat
            $0.maxAcceptedHtlcs = 483
        }
    }
}
