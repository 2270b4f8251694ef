/*
 * The contexts that programs are called with as offsets in bytes (`include/uapi/linux/bpf.h`, Linux 6.18).
 */

/** `struct xdp_md`. */
export const XDP_MD = {
  DATA: 0,
  DATA_END: 4,
  DATA_META: 8,
  INGRESS_IFINDEX: 12,
  RX_QUEUE_INDEX: 16,
  EGRESS_IFINDEX: 20,
  SIZE: 24,
} as const;

/** `struct __sk_buff`. */
export const SK_BUFF = {
  LEN: 0,
  PKT_TYPE: 4,
  MARK: 8,
  QUEUE_MAPPING: 12,
  PROTOCOL: 16,
  VLAN_PRESENT: 20,
  VLAN_TCI: 24,
  VLAN_PROTO: 28,
  PRIORITY: 32,
  INGRESS_IFINDEX: 36,
  IFINDEX: 40,
  TC_INDEX: 44,
  CB: 48,
  HASH: 68,
  TC_CLASSID: 72,
  DATA: 76,
  DATA_END: 80,
  NAPI_ID: 84,
  FAMILY: 88,
  REMOTE_IP4: 92,
  LOCAL_IP4: 96,
  REMOTE_IP6: 100,
  LOCAL_IP6: 116,
  REMOTE_PORT: 132,
  LOCAL_PORT: 136,
  DATA_META: 140,
  FLOW_KEYS: 144,
  TSTAMP: 152,
  WIRE_LEN: 160,
  GSO_SEGS: 164,
  SK: 168,
  GSO_SIZE: 176,
  TSTAMP_TYPE: 180,
  HWTSTAMP: 184,
  SIZE: 192,
} as const;
