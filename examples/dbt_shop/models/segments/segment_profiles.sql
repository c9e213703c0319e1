-- What each segment is like beside all customers.
select * from custseg.segment_profiles('{{ ref("features") }}', '{{ ref("segments") }}')
