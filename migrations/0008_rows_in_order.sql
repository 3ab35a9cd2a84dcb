-- All of a batch is due at once. The ids of its orders count down: its checks are sent in the order of its rows.
DROP INDEX work_by_lane;
CREATE INDEX work_by_lane ON work (account, lane, due_at, order_id DESC) WHERE kind = 'send';
