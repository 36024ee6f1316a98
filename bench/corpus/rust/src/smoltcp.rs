// SPDX-License-Identifier: Apache-2.0
//! A segment of TCP in a frame of Ethernet: made with its checksums, taken apart and checked.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv4Address,
    Ipv4Packet, Ipv4Repr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber,
};

use crate::{mix, repeat, LOG};

pub const HEAP: usize = 0;

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        let mut frame = [0; 700];
        let payload = &LOG[round as usize..][..512];
        let size = send(&mut frame, payload, round);
        let received = receive(&frame[..size]);
        assert_eq!(received, payload);
        mix(0, &frame[..64])
    })
}

const FROM: Ipv4Address = Ipv4Address::new(10, 0, 0, 1);
const TO: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);

fn send(buffer: &mut [u8], payload: &[u8], round: u32) -> usize {
    let checksums = ChecksumCapabilities::default();
    let tcp = TcpRepr {
        src_port: 49152,
        dst_port: 80,
        control: TcpControl::Psh,
        seq_number: TcpSeqNumber(1 + round as i32),
        ack_number: Some(TcpSeqNumber(77)),
        window_len: 1024,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload,
    };
    let ip = Ipv4Repr {
        src_addr: FROM,
        dst_addr: TO,
        next_header: IpProtocol::Tcp,
        payload_len: tcp.buffer_len(),
        hop_limit: 64,
    };
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress([2, 0, 0, 0, 0, 1]),
        dst_addr: EthernetAddress([2, 0, 0, 0, 0, 2]),
        ethertype: EthernetProtocol::Ipv4,
    };
    let size = ethernet.buffer_len() + ip.buffer_len() + tcp.buffer_len();
    let mut frame = EthernetFrame::new_checked(&mut buffer[..size]).unwrap();
    ethernet.emit(&mut frame);
    let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
    ip.emit(&mut packet, &checksums);
    let mut segment = TcpPacket::new_unchecked(packet.payload_mut());
    tcp.emit(&mut segment, &FROM.into(), &TO.into(), &checksums);
    size
}

fn receive(buffer: &[u8]) -> &[u8] {
    let checksums = ChecksumCapabilities::default();
    let frame = EthernetFrame::new_checked(buffer).unwrap();
    let packet = Ipv4Packet::new_checked(frame.payload()).unwrap();
    let ip = Ipv4Repr::parse(&packet, &checksums).unwrap();
    let segment = TcpPacket::new_checked(packet.payload()).unwrap();
    TcpRepr::parse(
        &segment,
        &ip.src_addr.into(),
        &ip.dst_addr.into(),
        &checksums,
    )
    .unwrap()
    .payload
}
