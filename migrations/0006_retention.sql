-- Vendors' answers to create calls are evidence while a case may be open, and are forgotten after that.
CREATE INDEX submissions_with_answer ON submissions (ended_at) WHERE answer IS NOT NULL;
