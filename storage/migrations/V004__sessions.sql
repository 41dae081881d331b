-- beside: two columns more.
-- The number of the present connection of each writer's lane. Every write transaction asks for its own: what a
-- connection was sent before a later one began changes nothing any more, however late it is carried out.

ALTER TABLE writer_state
  ADD COLUMN hot_session  bigint NOT NULL DEFAULT 0,
  ADD COLUMN bulk_session bigint NOT NULL DEFAULT 0;
